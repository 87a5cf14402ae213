/* Settings files: what they give, and the reader's refusals with their lines. */
#include <math.h>
#include <sys/stat.h>

#include "settings_case.h"

/* Reads what must be refused and checks that the target kept every byte. */
static int read_refused(vd_error *error)
{
    static vd_settings settings, before;
    memset(&settings, 0x5a, sizeof settings);
    before = settings;
    int code = vd_settings_read(file, &settings, error);
    ck_assert_int_ne(code, VD_OK);
    ck_assert_int_eq(error->code, code);
    ck_assert_msg(memcmp(&settings, &before, sizeof settings) == 0, "a refused file changed the settings");
    ck_assert_msg(error->text[0] != '\0', "no sentence");
    return code;
}

START_TEST(test_whole_file)
{
    vd_settings settings;
    vd_error error = {0};
    ck_assert_int_eq(setenv("HOME", "/srv/eva", 1), 0);
    int code = read_text(
        "model = \"~/models/yolo.onnx\"; labels = \"names.txt\";\n"
        "overlay_sync = \"live\"\ntheme : \"dark\"\n"
        "detection = { confidence = 1; iou = 0; max_detections = 0x10; precision = \"bf16\";\n"
        "  device = \"openvino\"; input_size = 640;\n"
        "  classes = ( \"person\", \"tra\" \"ffic light\" ); };\n"
        "network : { rtsp_transport = \"udp\"; open_timeout = 0.5; stall_timeout = 60L; };\n"
        "recording = { folder = \"~\"; quality = 40; };\n"
        "playback = { loop = TRUE; };\n"
        "tracking = { lost = 2; }; events = { confirm = 0; absence = 600; parked = 1; least_size = 24; };\n"
        "step2 = { enabled = false; async_enabled = false; shadow = true; model_path = \"~/v.onnx\";\n"
        "  verification_threshold = 0; input_size = [ 112, 96 ]; temporal_size = 8; min_workers = 3;\n"
        "  max_workers = 3; queue_size = 1; result_queue_size = 1000; worker_timeout_sec = 0.05;\n"
        "  preset = \"large\"; };\n"
        "// a comment\n/* @include in a comment */ # another\n"
        "cameras = ( { name = \"Tür\"; address = \"rtsp://a:b@h/1\"; },\n"
        "  { address = \"~/clip.mp4\"; name = \"Yard\"; model = \"builtin:motion\"; } );\n",
        &settings, &error);
    ck_assert_msg(code == VD_OK, "%s: %s", error.place, error.text);
    ck_assert_str_eq(settings.path, file);
    ck_assert_str_eq(settings.model, "/srv/eva/models/yolo.onnx");
    ck_assert_str_eq(settings.labels, "names.txt");
    ck_assert_int_eq(settings.overlay_sync, VD_SYNC_LIVE);
    ck_assert_int_eq(settings.theme, VD_THEME_DARK);
    ck_assert(fabs(settings.confidence - 1) < 1e-9 && fabs(settings.iou) < 1e-9);
    ck_assert_int_eq(settings.max_detections, 16);
    ck_assert(settings.confidence_given && settings.iou_given);
    ck_assert_str_eq(settings.precision, "bf16");
    ck_assert_str_eq(settings.device, "openvino");
    ck_assert_int_eq(settings.input_size, 640);
    ck_assert_int_eq(settings.class_count, 2);
    ck_assert_str_eq(settings.classes[0], "person");
    ck_assert_str_eq(settings.classes[1], "traffic light");
    ck_assert_str_eq(settings.rtsp_transport, "udp");
    ck_assert(fabs(settings.open_timeout_s - 0.5) < 1e-9 && fabs(settings.stall_timeout_s - 60) < 1e-9);
    ck_assert_str_eq(settings.recording_folder, "/srv/eva");
    ck_assert_int_eq(settings.recording_quality, 40);
    ck_assert(settings.loop);
    ck_assert(fabs(settings.track_lost_s - 2) < 1e-9 && fabs(settings.event_confirm_s) < 1e-9);
    ck_assert(fabs(settings.event_absence_s - 600) < 1e-9 && fabs(settings.event_parked_s - 1) < 1e-9);
    ck_assert(fabs(settings.event_least_size_px - 24) < 1e-9);
    const vd_step2_settings *step2 = &settings.step2;
    ck_assert(!step2->enabled && step2->enabled_given && !step2->async_enabled && step2->shadow);
    ck_assert_str_eq(step2->model_path, "/srv/eva/v.onnx");
    ck_assert(fabs(step2->verification_threshold) < 1e-9 && fabs(step2->worker_timeout_s - 0.05) < 1e-9);
    ck_assert(step2->input_size[0] == 112 && step2->input_size[1] == 96);
    ck_assert(step2->temporal_size == 8 && step2->min_workers == 3 && step2->max_workers == 3);
    ck_assert(step2->queue_size == 1 && step2->result_queue_size == 1000);
    ck_assert(step2->max_workers_given && step2->queue_size_given && step2->result_queue_size_given);
    ck_assert_int_eq(step2->preset, VD_STEP2_LARGE);
    ck_assert_int_eq(settings.camera_count, 2);
    ck_assert_str_eq(settings.cameras[0].name, "Tür");
    ck_assert_str_eq(settings.cameras[0].address, "rtsp://a:b@h/1");
    ck_assert_str_eq(settings.cameras[0].model, "");
    ck_assert_str_eq(settings.cameras[1].address, "/srv/eva/clip.mp4");
    ck_assert_str_eq(settings.cameras[1].model, "builtin:motion");
}
END_TEST

START_TEST(test_empty_file_gives_defaults)
{
    vd_settings settings, defaults;
    vd_settings_init(&defaults);
    ck_assert_int_eq(read_text("", &settings, NULL), VD_OK);
    settings.path[0] = '\0';
    memset(settings.path, 0, sizeof settings.path);
    ck_assert(memcmp(&settings, &defaults, sizeof settings) == 0);
}
END_TEST

static const struct refusal {
    const char *text;
    int code, line;
    const char *words[3]; /* must stand in the sentence */
} refusals[] = {
    {"\n\ndetection = {\n  confidence = 1.5;\n};",
     VD_EINVAL,
     4,
     {"detection.confidence is 1.5", "0.05 to 1"}},
    {"detection = { confidence = 0.04; };", VD_EINVAL, 1, {"is 0.04", "0.05 to 1"}},
    {"detection = { confidence = \"high\"; };", VD_EINVAL, 1, {"is \"high\"", "0.05 to 1"}},
    {"detection = { iou = -1; };", VD_EINVAL, 1, {"detection.iou is -1", "0 to 1"}},
    {"detection = { iou = 1e999; };", VD_EINVAL, 1, {"detection.iou is inf", "0 to 1"}},
    {"detection = { precision = \"fp16\"; };",
     VD_EINVAL,
     1,
     {"detection.precision is \"fp16\"", "\"fp32\" or \"bf16\""}},
    {"detection = { device = \"gpu\"; };", VD_EINVAL, 1, {"is \"gpu\"", "\"cuda\" or \"openvino\""}},
    {"detection = { input_size = 5000; };", VD_EINVAL, 1, {"is 5000", "0 to 4096"}},
    {"detection = { max_detections = 301; };", VD_EINVAL, 1, {"is 301", "a whole number, 1 to 300"}},
    {"detection = { max_detections = 3.5; };", VD_EINVAL, 1, {"is 3.5", "a whole number, 1 to 300"}},
    {"detection = { max_detections = 4294967297; };", VD_EINVAL, 1, {"number is far larger"}},
    {"detection = { classes = \"person\"; };",
     VD_EINVAL,
     1,
     {"detection.classes is \"person\"", "a list of"}},
    {"detection = { classes = [ 1, 2 ]; };",
     VD_EINVAL,
     1,
     {"detection.classes is 1", "a list of class names"}},
    {"detection = { classes = [ \"\" ]; };", VD_EINVAL, 1, {"detection.classes is \"\""}},
    {"\ndetection = 5;", VD_EINVAL, 2, {"detection is 5", "a group"}},
    {"detection = { treshold = 1; };",
     VD_EINVAL,
     1,
     {"no setting detection.treshold", "known here are confidence"}},
    {"detection = { confidense = 1; };",
     VD_EINVAL,
     1,
     {"detection.confidense", "mean detection.confidence?"}},
    {"confidence = 0.5;", VD_EINVAL, 1, {"no setting confidence", "belongs into the group detection"}},
    {"playback = { theme = \"dark\"; };", VD_EINVAL, 1, {"playback.theme", "top level"}},
    {"a = 1;", VD_EINVAL, 1, {"no setting a", "known here are model"}},
    {"detectoin = { };", VD_EINVAL, 1, {"no setting detectoin", "did you mean detection?"}},
    {"#\n#\noverlay_sync = \"fast\";", VD_EINVAL, 3, {"is \"fast\"", "\"auto\", \"exact\" or \"live\""}},
    {"overlay_sync = 1;", VD_EINVAL, 1, {"overlay_sync is 1"}},
    {"theme = \"Dark\";", VD_EINVAL, 1, {"theme is \"Dark\"", "\"system\", \"light\" or \"dark\""}},
    {"network = { rtsp_transport = \"tcpx\"; };",
     VD_EINVAL,
     1,
     {"network.rtsp_transport", "\"tcp\" or \"udp\""}},
    {"network = { open_timeout = 0; };", VD_EINVAL, 1, {"network.open_timeout is 0", "0.5 to 60"}},
    {"playback = { loop = 1; };", VD_EINVAL, 1, {"playback.loop is 1", "true or false"}},
    {"model = 7;", VD_EINVAL, 1, {"model is 7", "text in quotes of at most 511 bytes"}},
    {"model = \"a\\nb\";", VD_EINVAL, 1, {"one line of text"}},
    {"model = \"\xff\xfe\";", VD_EINVAL, 1, {"UTF-8"}},
    {"model = { };", VD_EINVAL, 1, {"model is a group"}},
    {"model = \"rtsp://eva:geheim@host/\\n\";", VD_EINVAL, 1, {"rtsp://***@host/"}},
    {"cameras = [ ];", VD_EINVAL, 1, {"cameras is a list in [ ]", "it must be a list such as"}},
    {"cameras = ( 1 );", VD_EINVAL, 1, {"cameras[1] is 1", "a group"}},
    {"cameras = (\n { name = \"A\"; } );", VD_EINVAL, 2, {"cameras[1] has no address"}},
    {"cameras = (\n { address = \"A\"; } );", VD_EINVAL, 2, {"cameras[1] has no name"}},
    {"cameras = ( { name = \"A\"; address = \"x\"; },\n { name = \"A\"; address = \"y\"; } );",
     VD_EINVAL,
     2,
     {"cameras[2].name is \"A\"", "cameras[1].name"}},
    {"cameras = ( { name = \"A\"; adress = \"x\"; } );",
     VD_EINVAL,
     1,
     {"cameras[1].adress", "did you mean cameras.address?"}},
    {"tracking = { lost = 0; };", VD_EINVAL, 1, {"tracking.lost is 0", "0.1 to 10"}},
    {"events = { parked = 0.5; };", VD_EINVAL, 1, {"events.parked is 0.5", "1 to 86400"}},
    {"step2 = {\n input_size = 224; };",
     VD_EINVAL,
     2,
     {"step2.input_size is 224", "two whole numbers such as [ 224, 224 ], each 32 to 512"}},
    {"step2 = { input_size = [ 224 ]; };", VD_EINVAL, 1, {"step2.input_size is a list", "two whole"}},
    {"step2 = { input_size = [ 224, 31 ]; };", VD_EINVAL, 1, {"step2.input_size is 31"}},
    {"step2 = { input_size = [ 224.0, 224.0 ]; };", VD_EINVAL, 1, {"step2.input_size is 224"}},
    {"step2 = { input_size = ( \"a\", 224 ); };", VD_EINVAL, 1, {"step2.input_size is \"a\""}},
    {"step2 = { temporal_size = 65; };", VD_EINVAL, 1, {"step2.temporal_size is 65", "2 to 64"}},
    {"step2 = { worker_timeout_sec = 0.01; };", VD_EINVAL, 1, {"is 0.01", "0.05 to 300"}},
    {"step2 = { model_type = \"test:hang\"; };", VD_EINVAL, 1, {"is \"test:hang\"", "\"onnx\""}},
    {"step2 = { preset = \"huge\"; };", VD_EINVAL, 1, {"\"none\", \"small\", \"medium\" or \"large\""}},
    {"step2 = { max_workers = 2;\n min_workers = 3; };",
     VD_EINVAL,
     2,
     {"step2.min_workers is 3", "at most max_workers, which is 2"}},
    {"step2 = { min_workers = 3; };",
     VD_EINVAL,
     1,
     {"step2.min_workers is 3", "at most max_workers, which is 2 where the file does not say it"}},
    {"step2 = { preset = \"small\";\n min_workers = 2; };",
     VD_EINVAL,
     2,
     {"at most max_workers, which is 1"}},
    {"step2 = { treshold = 1; };", VD_EINVAL, 1, {"no setting step2.treshold"}},
    {"theme = \"dark\"\n\ntheme = \"light\";", VD_EFORMAT, 3, {"duplicate"}},
    {"theme = dark;", VD_EFORMAT, 1, {"missing"}},
    {"\n\ndetection = { confidence = 0.5; ", VD_EFORMAT, 3, {"missing"}},
    {"theme = \"dark", VD_EFORMAT, 1, {"missing"}},
    {"detection = { confidence = 0,5; };", VD_EFORMAT, 1, {"cannot be understood"}},
    {"theme = \"dark\";\n  @include \"/etc/passwd\"\n", VD_EFORMAT, 2, {"@include is not supported"}},
    {"\x7f"
     "ELF\x02\x01\x01 rubbish",
     VD_EFORMAT,
     1,
     {"cannot be understood"}},
};

START_TEST(test_refusal)
{
    const struct refusal *refusal = &refusals[_i];
    vd_error error = {0};
    char place[PATH_MAX + 64];
    write_bytes(refusal->text, strlen(refusal->text));
    int code = read_refused(&error);
    ck_assert_msg(code == refusal->code, "%s: %s", vd_code_name(code), error.text);
    snprintf(place, sizeof place, "%s:%d", file, refusal->line);
    ck_assert_msg(strcmp(error.place, place) == 0, "at %s instead of line %d: %s", error.place, refusal->line,
                  error.text);
    for (int i = 0; i < 3 && refusal->words[i]; i++)
        ck_assert_msg(strstr(error.text, refusal->words[i]) != NULL, "'%s' lacks '%s'", error.text,
                      refusal->words[i]);
    size_t length = strlen(error.text);
    ck_assert_msg(error.text[length - 1] == '.' || error.text[length - 1] == '?', "no sentence: '%s'",
                  error.text);
    ck_assert_msg(strstr(error.text, "geheim") == NULL, "a password is shown");
}
END_TEST

START_TEST(test_too_long)
{
    static const struct {
        const char *before, *after, *label;
        int fits;
    } cases[] = {{"model = \"", "\";", "model", 511},
                 {"detection = { classes = [ \"", "\" ]; };", "detection.classes", 63},
                 {"cameras = ( { address = \"x\"; name = \"", "\"; } );", "cameras[1].name", 63},
                 {"cameras = ( { name = \"x\"; address = \"", "\"; } );", "cameras[1].address", 1023}};
    static vd_settings settings;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int extra = 0; extra < 2; extra++) {
            char text[2048], word[1100];
            vd_error error = {0};
            memset(word, 'x', sizeof word);
            word[cases[i].fits + extra] = '\0';
            snprintf(text, sizeof text, "%s%s%s", cases[i].before, word, cases[i].after);
            int code = read_text(text, &settings, &error);
            ck_assert_int_eq(code, extra ? VD_EINVAL : VD_OK);
            if (extra)
                ck_assert_msg(strstr(error.text, cases[i].label) && strstr(error.text, "it must be at most"),
                              "%s", error.text);
        }
    }
}
END_TEST

START_TEST(test_too_many)
{
    char text[8192];
    vd_error error = {0};
    size_t used = (size_t)snprintf(text, sizeof text, "detection = { classes = [ \"c\"");
    for (int i = 0; i < VD_MAX_CLASS_NAMES; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, ", \"c%d\"", i);
    snprintf(text + used, sizeof text - used, " ]; };");
    write_bytes(text, strlen(text));
    ck_assert_int_eq(read_refused(&error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "65 names; it must have at most 64"));

    used = (size_t)snprintf(text, sizeof text, "cameras = ( ");
    for (int i = 0; i <= VD_MAX_CAMERAS; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s{ name = \"%d\"; address = \"demo:\"; }",
                                 i ? "," : "", i);
    snprintf(text + used, sizeof text - used, " );");
    write_bytes(text, strlen(text));
    ck_assert_int_eq(read_refused(&error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "17 entries; it must have at most 16"));
}
END_TEST

START_TEST(test_files_that_are_none)
{
    vd_error error = {0};
    ck_assert_int_eq(read_refused(&error), VD_ENOTFOUND);
    ck_assert_str_eq(error.place, file);

    ck_assert_int_eq(mkdir(file, 0700), 0);
    ck_assert_int_eq(read_refused(&error), VD_EIO);
    ck_assert_ptr_nonnull(strstr(error.text, "folder"));
    rmdir(file);

    ck_assert_int_eq(mkfifo(file, 0600), 0);
    ck_assert_int_eq(read_refused(&error), VD_EIO);
    ck_assert_ptr_nonnull(strstr(error.text, "regular file"));
    unlink(file);

    write_bytes("theme = \"dark\";\0", 16);
    ck_assert_int_eq(read_refused(&error), VD_EFORMAT);

    static char large[200 * 1024];
    memset(large, ' ', sizeof large);
    write_bytes(large, sizeof large);
    ck_assert_int_eq(read_refused(&error), VD_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "64 KiB"));
}
END_TEST

/* As large as is allowed: one line, deep nesting, thousands of settings. None may crash or take long. */
START_TEST(test_hostile_files)
{
    static char text[64 * 1024 + 1];
    vd_error error = {0};
    static vd_settings settings;

    memset(text, 'a', sizeof text - 1);
    write_bytes(text, sizeof text - 1);
    ck_assert_int_eq(read_refused(&error), VD_EFORMAT);

    memset(text, '(', sizeof text - 1);
    memcpy(text, "cameras=", 8);
    write_bytes(text, sizeof text - 1);
    ck_assert_int_eq(read_refused(&error), VD_EFORMAT);

    memset(text, '#', sizeof text - 1);
    write_bytes(text, sizeof text - 1);
    ck_assert_int_eq(vd_settings_read(file, &settings, &error), VD_OK);

    size_t used = 0;
    for (int i = 0; used + 16 < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%x=1;", i | 0xa0000);
    write_bytes(text, used);
    ck_assert_int_eq(read_refused(&error), VD_EINVAL);
}
END_TEST

START_TEST(test_unreadable)
{
    vd_error error = {0};
    write_bytes("", 0);
    ck_assert_int_eq(chmod(folder, 0755), 0);
    ck_assert_int_eq(chmod(file, 0), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65534), 0);
    int code = read_refused(&error);
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(code, VD_EIO);
    ck_assert_ptr_nonnull(strstr(error.text, "Permission denied"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("settings");
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, make_folder, remove_folder);
    tcase_add_test(files, test_whole_file);
    tcase_add_test(files, test_empty_file_gives_defaults);
    tcase_add_loop_test(files, test_refusal, 0, (int)(sizeof refusals / sizeof *refusals));
    tcase_add_test(files, test_too_long);
    tcase_add_test(files, test_too_many);
    tcase_add_test(files, test_files_that_are_none);
    tcase_add_test(files, test_hostile_files);
    tcase_add_test(files, test_unreadable);
    suite_add_tcase(suite, files);
    return suite;
}

TEST_MAIN(make_suite)
