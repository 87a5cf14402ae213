#include "vedette/app/encoder.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cancel.h"
#include "check_main.h"
#include "media_clip.h"

static char path[256];

static void set_up(void)
{
    clip_path(path, sizeof path, "recordings/of today/clip.mp4");
}

/* Reads a clip from start to end: how many pictures, whether their numbers count up from 0, the last one's
 * time. */
static int read_back(const char *file, bool *ret_in_order, double *ret_last_s)
{
    vd_source *source = NULL;
    vd_error error = {0};
    ck_assert_msg(vd_source_open(file, NULL, NULL, &source, &error) == VD_OK, "%s", error.text);
    int count = 0, code;
    *ret_in_order = true;
    for (;; count++) {
        vd_frame *frame = NULL;
        code = vd_source_read(source, &frame, &error);
        if (code)
            break;
        *ret_in_order = *ret_in_order && clip_number(&frame->image) == count;
        *ret_last_s = frame->time_s;
        vd_frame_unref(&frame);
    }
    ck_assert_int_eq(code, VD_EEND);
    vd_source_close(&source);
    return count;
}

START_TEST(every_picture_comes_back)
{
    bool in_order;
    double last_s;
    ck_assert_int_eq(clip_write(path, 60, clip_steady), VD_OK);
    ck_assert_int_eq(read_back(path, &in_order, &last_s), 60);
    ck_assert(in_order);
    ck_assert_double_eq_tol(last_s, 59 * 0.04, 0.0005);
}
END_TEST

START_TEST(uneven_times_are_kept)
{
    ck_assert_int_eq(clip_write(path, 60, clip_uneven), VD_OK);
    vd_source *source = NULL;
    ck_assert_int_eq(vd_source_open(path, NULL, NULL, &source, NULL), VD_OK);
    for (int i = 0; i < 60; i++) {
        vd_frame *frame = NULL;
        ck_assert_int_eq(vd_source_read(source, &frame, NULL), VD_OK);
        ck_assert_double_eq_tol(frame->time_s, (double)clip_uneven(i) / VD_NS_PER_S, 0.0005);
        vd_frame_unref(&frame);
    }
    vd_source_close(&source);
}
END_TEST

static vd_encoder *open_encoder(int width, int height)
{
    vd_encoder_options options = VD_ENCODER_OPTIONS_INIT;
    options.width = width;
    options.height = height;
    vd_encoder *encoder = NULL;
    vd_error error = {0};
    ck_assert_msg(vd_encoder_open(path, &options, &encoder, &error) == VD_OK, "%s", error.text);
    return encoder;
}

START_TEST(times_that_do_not_rise_are_moved)
{
    static const int64_t times_ms[] = {0, 40, 40, 20, 80};
    static const double expected_s[] = {0, 0.040, 0.041, 0.042, 0.080};
    vd_encoder *encoder = open_encoder(CLIP_WIDTH, CLIP_HEIGHT);
    vd_image image = clip_new_image(CLIP_WIDTH, CLIP_HEIGHT);
    for (int i = 0; i < 5; i++) {
        clip_draw(&image, i);
        ck_assert_int_eq(vd_encoder_write(encoder, &image, times_ms[i] * VD_NS_PER_MS, NULL), VD_OK);
    }
    free(image.planes[0]);
    ck_assert_int_eq(vd_encoder_close(&encoder, NULL), VD_OK);
    vd_source *source = NULL;
    ck_assert_int_eq(vd_source_open(path, NULL, NULL, &source, NULL), VD_OK);
    for (int i = 0; i < 5; i++) {
        vd_frame *frame = NULL;
        ck_assert_int_eq(vd_source_read(source, &frame, NULL), VD_OK);
        ck_assert_int_eq(clip_number(&frame->image), i);
        ck_assert_double_eq_tol(frame->time_s, expected_s[i], 0.0005);
        vd_frame_unref(&frame);
    }
    vd_source_close(&source);
}
END_TEST

START_TEST(odd_sizes_lose_the_last_row_and_column)
{
    vd_encoder *encoder = open_encoder(321, 241);
    vd_image image = clip_new_image(321, 241);
    clip_draw(&image, 5);
    ck_assert_int_eq(vd_encoder_write(encoder, &image, 0, NULL), VD_OK);
    free(image.planes[0]);
    ck_assert_int_eq(vd_encoder_close(&encoder, NULL), VD_OK);
    vd_source *source = NULL;
    ck_assert_int_eq(vd_source_open(path, NULL, NULL, &source, NULL), VD_OK);
    ck_assert_int_eq(vd_source_get_info(source)->width, 320);
    ck_assert_int_eq(vd_source_get_info(source)->height, 240);
    vd_source_close(&source);
}
END_TEST

/* An I420 picture of one colour. */
static vd_image flat_i420(vd_yuv_color color, int y, int u, int v)
{
    uint8_t *memory = malloc(64 * 64 * 3 / 2);
    memset(memory, y, 64 * 64);
    memset(memory + 64 * 64, u, 32 * 32);
    memset(memory + 64 * 64 * 5 / 4, v, 32 * 32);
    return (vd_image){.format = VD_PIXEL_I420,
                      .color = color,
                      .width = 64,
                      .height = 64,
                      .planes = {memory, memory + 64 * 64, memory + 64 * 64 * 5 / 4},
                      .strides = {64, 32, 32}};
}

START_TEST(pictures_of_other_colour_systems_are_converted)
{
    /* pure red, in each way of writing it, and what it is in BT.601 limited */
    static const struct {
        vd_yuv_color color;
        int y, u, v;
    } reds[] = {{VD_YUV_601_LIMITED, 81, 90, 240},
                {VD_YUV_709_LIMITED, 63, 102, 240},
                {VD_YUV_601_FULL, 76, 85, 255}};
    for (int i = 0; i < 3; i++) {
        vd_encoder *encoder = open_encoder(64, 64);
        vd_image image = flat_i420(reds[i].color, reds[i].y, reds[i].u, reds[i].v);
        ck_assert_int_eq(vd_encoder_write(encoder, &image, 0, NULL), VD_OK);
        free(image.planes[0]);
        ck_assert_int_eq(vd_encoder_close(&encoder, NULL), VD_OK);
        vd_source *source = NULL;
        vd_frame *frame = NULL;
        ck_assert_int_eq(vd_source_open(path, NULL, NULL, &source, NULL), VD_OK);
        ck_assert_int_eq(vd_source_read(source, &frame, NULL), VD_OK);
        ck_assert_int_eq(frame->image.color, VD_YUV_601_LIMITED);
        ck_assert_int_le(abs(frame->image.planes[0][0] - 81), 4);
        ck_assert_int_le(abs(frame->image.planes[1][0] - 90), 4);
        ck_assert_int_le(abs(frame->image.planes[2][0] - 240), 4);
        vd_frame_unref(&frame);
        vd_source_close(&source);
        ck_assert_int_eq(unlink(path), 0);
    }
}
END_TEST

START_TEST(nothing_is_overwritten)
{
    ck_assert_int_eq(clip_write(path, 3, clip_steady), VD_OK);
    vd_encoder_options options = VD_ENCODER_OPTIONS_INIT;
    options.width = options.height = 64;
    vd_encoder *encoder = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_encoder_open(path, &options, &encoder, &error), VD_EIO);
    ck_assert_ptr_nonnull(strstr(error.text, "exists already"));
    ck_assert_ptr_null(encoder);
}
END_TEST

START_TEST(the_name_comes_with_the_first_fragment)
{
    char part[300];
    snprintf(part, sizeof part, "%s.part", path);
    vd_encoder *encoder = open_encoder(CLIP_WIDTH, CLIP_HEIGHT);
    vd_image image = clip_new_image(CLIP_WIDTH, CLIP_HEIGHT);
    int named_at = -1;
    for (int i = 0; i < 30; i++) {
        ck_assert_int_eq(vd_encoder_write(encoder, &image, clip_steady(i), NULL), VD_OK);
        bool named = access(path, F_OK) == 0;
        ck_assert_int_ne(named, access(part, F_OK) == 0);
        if (named && named_at < 0)
            named_at = i;
    }
    ck_assert_int_eq(named_at, 12); /* its 13 pictures are shown for 0.52 s */
    free(image.planes[0]);
    ck_assert_int_eq(vd_encoder_close(&encoder, NULL), VD_OK);
}
END_TEST

START_TEST(without_pictures_there_is_no_file)
{
    char part[300];
    snprintf(part, sizeof part, "%s.part", path);
    vd_encoder *encoder = open_encoder(64, 64);
    ck_assert_int_eq(vd_encoder_close(&encoder, NULL), VD_EIO);
    ck_assert_ptr_null(encoder);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_ne(access(part, F_OK), 0);
}
END_TEST

START_TEST(a_wrong_picture_is_refused)
{
    vd_encoder *encoder = open_encoder(64, 64);
    vd_image image = clip_new_image(32, 64);
    vd_error error = {0};
    ck_assert_int_eq(vd_encoder_write(encoder, &image, 0, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "32 × 64"));
    free(image.planes[0]);
    vd_encoder_close(&encoder, NULL);
    vd_encoder_options options = VD_ENCODER_OPTIONS_INIT;
    options.width = 1;
    options.height = 100;
    ck_assert_int_eq(vd_encoder_open(path, &options, &encoder, &error), VD_EINVAL);
}
END_TEST

START_TEST(a_full_disk_ends_it_with_what_came_before)
{
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {64 * 1024, 64 * 1024};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    vd_encoder *encoder = open_encoder(CLIP_WIDTH, CLIP_HEIGHT);
    vd_image image = clip_new_image(CLIP_WIDTH, CLIP_HEIGHT);
    vd_error error = {0};
    int written = 0, code = VD_OK;
    for (; code == VD_OK && written < 4000; written++) {
        clip_draw(&image, written);
        code = vd_encoder_write(encoder, &image, clip_steady(written), &error);
    }
    free(image.planes[0]);
    ck_assert_int_eq(code, VD_EIO);
    ck_assert_ptr_nonnull(strstr(error.text, "File too large"));
    ck_assert_int_eq(vd_encoder_close(&encoder, NULL), VD_EIO);
    bool in_order;
    double last_s;
    int count = read_back(path, &in_order, &last_s);
    ck_assert_int_ge(count, written - 14);
    ck_assert(in_order);
}
END_TEST

/* Records in real time and reports the time of each picture once it is written. */
static void record_until_killed(const char *file, int report)
{
    vd_encoder_options options = VD_ENCODER_OPTIONS_INIT;
    options.width = CLIP_WIDTH;
    options.height = CLIP_HEIGHT;
    vd_encoder *encoder = NULL;
    vd_image image = clip_new_image(CLIP_WIDTH, CLIP_HEIGHT);
    vd_cancel never;
    int64_t start_ns = vd_clock_now_ns();
    if (vd_cancel_init(&never) || vd_encoder_open(file, &options, &encoder, NULL))
        _exit(1);
    for (int i = 0; i < 2000; i++) {
        vd_cancel_sleep_until(&never, start_ns + clip_steady(i));
        clip_draw(&image, i);
        int64_t shown_ns = vd_clock_now_ns() - start_ns;
        if (vd_encoder_write(encoder, &image, shown_ns, NULL) ||
            write(report, &shown_ns, sizeof shown_ns) != sizeof shown_ns)
            _exit(2);
    }
    _exit(3);
}

enum { VICTIMS = 10 };

struct victim {
    pid_t process;
    int report;
    char file[300];
    int64_t last_ns;       /* the last picture it had written */
    int64_t kill_after_ns; /* after its first fragment */
    int64_t named_ns;
};

static void start_victim(struct victim *victim, int number)
{
    int ends[2];
    char name[32];
    snprintf(name, sizeof name, "victim-%d.mp4", number);
    clip_path(victim->file, sizeof victim->file, name);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    victim->process = fork();
    ck_assert_int_ge(victim->process, 0);
    if (victim->process == 0) {
        close(ends[0]);
        record_until_killed(victim->file, ends[1]);
    }
    close(ends[1]);
    victim->report = ends[0];
}

/* Follows a victim's reports until it is dead. */
static void follow(struct victim *victim)
{
    int64_t shown_ns;
    while (read(victim->report, &shown_ns, sizeof shown_ns) == sizeof shown_ns) {
        victim->last_ns = shown_ns;
        if (victim->named_ns == 0 && access(victim->file, F_OK) == 0)
            victim->named_ns = shown_ns;
        if (victim->named_ns && shown_ns >= victim->named_ns + victim->kill_after_ns)
            kill(victim->process, SIGKILL);
    }
    close(victim->report);
}

START_TEST(a_killed_recording_plays_and_loses_less_than_a_second)
{
    struct victim victims[VICTIMS] = {0};
    srand(20);
    for (int i = 0; i < VICTIMS; i++) {
        victims[i].kill_after_ns = (int64_t)(rand() % 1000) * 2 * VD_NS_PER_MS;
        start_victim(&victims[i], i);
    }
    for (int i = 0; i < VICTIMS; i++) {
        int status;
        follow(&victims[i]);
        ck_assert_int_eq(waitpid(victims[i].process, &status, 0), victims[i].process);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    for (int i = 0; i < VICTIMS; i++) {
        bool in_order;
        double last_s = 0;
        int count = read_back(victims[i].file, &in_order, &last_s);
        double lost_s = (double)victims[i].last_ns / VD_NS_PER_S - last_s;
        ck_assert_int_gt(count, 0);
        ck_assert(in_order);
        ck_assert_msg(lost_s < 1, "victim %d lost %.2f s", i, lost_s);
    }
}
END_TEST

START_TEST(stills_come_back)
{
    static const char *const names[] = {"still.png", "still.jpg", "still.JPEG"};
    vd_image image = clip_new_image(CLIP_WIDTH + 1, CLIP_HEIGHT + 1);
    clip_draw(&image, 1234);
    for (int i = 0; i < 3; i++) {
        vd_error error = {0};
        vd_source *source = NULL;
        vd_frame *frame = NULL;
        clip_path(path, sizeof path, names[i]);
        ck_assert_msg(vd_image_write(path, &image, &error) == VD_OK, "%s", error.text);
        ck_assert_int_eq(vd_image_write(path, &image, &error), VD_OK); /* again, in its place */
        ck_assert_int_eq(vd_source_open(path, NULL, NULL, &source, NULL), VD_OK);
        ck_assert(vd_source_get_info(source)->is_image);
        ck_assert_int_eq(vd_source_read(source, &frame, NULL), VD_OK);
        ck_assert_int_eq(frame->image.width, CLIP_WIDTH + 1);
        ck_assert_int_eq(frame->image.height, CLIP_HEIGHT + 1);
        ck_assert_int_eq(clip_number(&frame->image), 1234);
        for (int x = 0; i == 0 && x < image.width; x++)
            ck_assert_int_eq(frame->image.planes[0][90 * frame->image.strides[0] + 4 * x],
                             image.planes[0][90 * image.strides[0] + 4 * x]);
        vd_frame_unref(&frame);
        vd_source_close(&source);
    }
    free(image.planes[0]);
}
END_TEST

START_TEST(stills_are_refused_with_a_reason)
{
    vd_image image = clip_new_image(8, 8);
    vd_error error = {0};
    ck_assert_int_eq(vd_image_write("picture.xyz", &image, &error), VD_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, ".png"));
    ck_assert_int_eq(vd_image_write("/nowhere/at/all.png", &image, &error), VD_EIO);
    ck_assert_ptr_nonnull(strstr(error.text, "No such file"));
    free(image.planes[0]);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("encoder");
    TCase *all = tcase_create("encoder");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, set_up, clip_remove_folder);
    tcase_add_test(all, every_picture_comes_back);
    tcase_add_test(all, uneven_times_are_kept);
    tcase_add_test(all, times_that_do_not_rise_are_moved);
    tcase_add_test(all, odd_sizes_lose_the_last_row_and_column);
    tcase_add_test(all, pictures_of_other_colour_systems_are_converted);
    tcase_add_test(all, nothing_is_overwritten);
    tcase_add_test(all, the_name_comes_with_the_first_fragment);
    tcase_add_test(all, without_pictures_there_is_no_file);
    tcase_add_test(all, a_wrong_picture_is_refused);
    tcase_add_test(all, a_full_disk_ends_it_with_what_came_before);
    tcase_add_test(all, a_killed_recording_plays_and_loses_less_than_a_second);
    tcase_add_test(all, stills_come_back);
    tcase_add_test(all, stills_are_refused_with_a_reason);
    suite_add_tcase(suite, all);
    return suite;
}

TEST_MAIN(make_suite)
