/* The table of settings: defaults, ranges and keys, and the example file against it. */
#include <errno.h>
#include <math.h>

#include <libconfig.h>

#include "settings/table.h"
#include "settings_case.h"
#include "vedette/app/nearest.h"

START_TEST(test_defaults)
{
    vd_settings settings;
    memset(&settings, 0x5a, sizeof settings);
    vd_settings_init(&settings);
    ck_assert_str_eq(settings.path, "");
    ck_assert_str_eq(settings.model, "");
    ck_assert(fabs(settings.confidence - 0.25) < 1e-9);
    ck_assert(fabs(settings.iou - 0.45) < 1e-9);
    ck_assert_int_eq(settings.max_detections, 300);
    ck_assert_int_eq(settings.class_count, 0);
    ck_assert(!settings.confidence_given && !settings.iou_given);
    ck_assert_str_eq(settings.precision, "fp32");
    ck_assert_str_eq(settings.device, "cpu");
    ck_assert_int_eq(settings.input_size, 0);
    ck_assert_int_eq(settings.overlay_sync, VD_SYNC_AUTO);
    ck_assert_str_eq(settings.rtsp_transport, "tcp");
    ck_assert(fabs(settings.open_timeout_s - 5) < 1e-9);
    ck_assert(fabs(settings.stall_timeout_s - 5) < 1e-9);
    ck_assert_int_eq(settings.recording_quality, 23);
    ck_assert(!settings.loop);
    ck_assert_int_eq(settings.theme, VD_THEME_SYSTEM);
    ck_assert_int_eq(settings.camera_count, 0);
    ck_assert(fabs(settings.track_lost_s - 1) < 1e-9 && fabs(settings.event_confirm_s - 0.3) < 1e-9);
    ck_assert(fabs(settings.event_absence_s - 3) < 1e-9 && fabs(settings.event_parked_s - 60) < 1e-9);
    const vd_step2_settings *step2 = &settings.step2;
    ck_assert(step2->enabled && !step2->enabled_given && step2->async_enabled && !step2->shadow);
    ck_assert_str_eq(step2->model_path, "");
    ck_assert_str_eq(step2->model_type, "onnx");
    ck_assert(fabs(step2->verification_threshold - 0.7) < 1e-9 && fabs(step2->worker_timeout_s - 10) < 1e-9);
    ck_assert(step2->input_size[0] == 224 && step2->input_size[1] == 224);
    ck_assert_int_eq(step2->temporal_size, 16);
    ck_assert(step2->min_workers == 1 && step2->max_workers == 2);
    ck_assert(step2->queue_size == 50 && step2->result_queue_size == 100);
    ck_assert_int_eq(step2->preset, VD_STEP2_NONE);
}
END_TEST

/* The example with its keys taken out of comments: lines `#key…` and `#}`, not `# text`. */
static void read_example(char *out, size_t size, bool uncommented)
{
    FILE *stream = fopen("resources/vedette.conf.example", "r");
    ck_assert_msg(stream != NULL, "resources/vedette.conf.example: %s", strerror(errno));
    char line[512];
    size_t used = 0;
    out[0] = '\0';
    while (fgets(line, sizeof line, stream)) {
        char *mark = line + strspn(line, " ");
        if (uncommented && mark[0] == '#' && mark[1] != ' ' && mark[1] != '\n')
            *mark = ' ';
        int put = snprintf(out + used, size - used, "%s", line);
        ck_assert_uint_lt((size_t)put, size - used);
        used += (size_t)put;
    }
    fclose(stream);
}

START_TEST(test_example_shows_the_defaults)
{
    static char text[32768];
    static vd_settings settings, defaults;
    vd_error error = {0};
    vd_settings_init(&defaults);
    read_example(text, sizeof text, false);
    ck_assert_int_eq(read_text(text, &settings, &error), VD_OK);
    memset(settings.path, 0, sizeof settings.path);
    ck_assert(memcmp(&settings, &defaults, sizeof settings) == 0);

    read_example(text, sizeof text, true);
    int code = read_text(text, &settings, &error);
    ck_assert_msg(code == VD_OK, "%s: %s", error.place, error.text);
    ck_assert_int_eq(settings.camera_count, 2);
    ck_assert_str_eq(settings.cameras[0].name, "Gate north");
    memset(settings.path, 0, sizeof settings.path);
    memset(settings.cameras, 0, sizeof settings.cameras);
    settings.camera_count = 0;
    ck_assert(settings.confidence_given && settings.iou_given);
    settings.confidence_given = settings.iou_given = false;
    vd_step2_settings *step2 = &settings.step2;
    ck_assert(step2->enabled_given && step2->min_workers_given && step2->max_workers_given);
    step2->enabled_given = step2->min_workers_given = step2->max_workers_given = false;
    step2->queue_size_given = step2->result_queue_size_given = false;
    ck_assert_msg(memcmp(&settings, &defaults, sizeof settings) == 0,
                  "the example's values are not the defaults");
}
END_TEST

/* Marks the table's keys that a tree holds; what is not in the table fails (the reader refuses it as well).
 */
static void mark_keys(const config_setting_t *group, const char *name, bool *seen)
{
    size_t count;
    const vd_key *keys = vd_key_table(&count);
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
        const char *own = config_setting_name(setting);
        if (config_setting_is_group(setting) || config_setting_is_list(setting)) {
            mark_keys(setting, own ? own : name, seen);
            continue;
        }
        const vd_key *key = vd_key_find(name, own);
        ck_assert_msg(key != NULL, "the example has %s.%s, the table does not", name, own);
        seen[key - keys] = true;
        ck_assert_uint_lt((size_t)(key - keys), count);
    }
}

START_TEST(test_example_has_every_key)
{
    static char text[32768];
    bool seen[64] = {false};
    size_t count;
    const vd_key *keys = vd_key_table(&count);
    ck_assert_uint_le(count, sizeof seen / sizeof *seen);
    read_example(text, sizeof text, true);
    config_t config;
    config_init(&config);
    ck_assert_int_eq(config_read_string(&config, text), CONFIG_TRUE);
    mark_keys(config_root_setting(&config), "", seen);
    config_destroy(&config);
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(seen[i], "the table has %s.%s, the example does not", keys[i].group, keys[i].name);
}
END_TEST

START_TEST(test_example_names_the_ranges)
{
    static char text[32768];
    size_t count;
    const vd_key *keys = vd_key_table(&count);
    read_example(text, sizeof text, false);
    for (size_t i = 0; i < count; i++) {
        char range[128];
        vd_key_describe_range(&keys[i], range, sizeof range);
        ck_assert_msg(keys[i].doc && keys[i].doc[0] != '\0', "%s has no line", keys[i].name);
        bool has_range =
            keys[i].kind != VD_KEY_TEXT && keys[i].kind != VD_KEY_PATH && keys[i].kind != VD_KEY_NAMES;
        if (has_range)
            ck_assert_msg(strstr(text, range) != NULL, "the example lacks '%s' of %s", range, keys[i].name);
    }
}
END_TEST

START_TEST(test_table_is_sound)
{
    size_t count;
    const vd_key *keys = vd_key_table(&count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_ptr_eq(vd_key_find(keys[i].group, keys[i].name), &keys[i]);
        if (keys[i].kind == VD_KEY_NUMBER || keys[i].kind == VD_KEY_INTEGER)
            ck_assert(keys[i].number >= keys[i].least && keys[i].number <= keys[i].most);
    }
    ck_assert_ptr_null(vd_key_find("", "confidence"));
}
END_TEST

START_TEST(test_default_path)
{
    char path[64];
    setenv("XDG_CONFIG_HOME", "/x", 1);
    vd_settings_default_path(path, sizeof path);
    ck_assert_str_eq(path, "/x/vedette/vedette.conf");
    setenv("XDG_CONFIG_HOME", "relative", 1);
    setenv("HOME", "/h", 1);
    vd_settings_default_path(path, sizeof path);
    ck_assert_str_eq(path, "/h/.config/vedette/vedette.conf");
}
END_TEST

START_TEST(test_nearest)
{
    static const char *const words[] = {"confidence", "iou", "classes", "max_detections"};
    ck_assert_str_eq(vd_nearest_word("Confidense", words, 4), "confidence");
    ck_assert_str_eq(vd_nearest_word("oiu", words, 4), "iou");
    ck_assert_str_eq(vd_nearest_word("class", words, 4), "classes");
    ck_assert_ptr_null(vd_nearest_word("zebra", words, 4));
    ck_assert_ptr_null(vd_nearest_word("", words, 4));
    char longest[200];
    memset(longest, 'i', sizeof longest);
    longest[199] = '\0';
    ck_assert_ptr_null(vd_nearest_word(longest, words, 4));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("settings_table");
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, make_folder, remove_folder);
    tcase_add_test(files, test_example_shows_the_defaults);
    suite_add_tcase(suite, files);
    TCase *table = tcase_create("table");
    tcase_add_test(table, test_defaults);
    tcase_add_test(table, test_table_is_sound);
    tcase_add_test(table, test_example_has_every_key);
    tcase_add_test(table, test_example_names_the_ranges);
    tcase_add_test(table, test_default_path);
    tcase_add_test(table, test_nearest);
    suite_add_tcase(suite, table);
    return suite;
}

TEST_MAIN(make_suite)
