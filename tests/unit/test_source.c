#include "media/source_kind.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cancel.h"
#include "base/thread.h"
#include "check_main.h"
#include "media_clip.h"

enum { COUNT = 60 };

static char path[256];

static void set_up(void)
{
    clip_path(path, sizeof path, "clip.mp4");
}

static vd_source *open_source(const char *address)
{
    vd_source *source = NULL;
    vd_error error = {0};
    ck_assert_msg(vd_source_open(address, NULL, NULL, &source, &error) == VD_OK, "%s", error.text);
    return source;
}

/* Reads one picture and looks whether it is number `number` in every respect. */
static void expect(vd_source *source, int number, int64_t (*time_of)(int))
{
    vd_frame *frame = NULL;
    vd_error error = {0};
    ck_assert_msg(vd_source_read(source, &frame, &error) == VD_OK, "picture %d: %s", number, error.text);
    ck_assert_int_eq(vd_image_validate(&frame->image, NULL), VD_OK);
    ck_assert_int_eq(clip_number(&frame->image), number);
    ck_assert_int_eq(frame->index, number);
    ck_assert_double_eq_tol(frame->time_s, (double)time_of(number) / VD_NS_PER_S, 0.0005);
    vd_frame_unref(&frame);
}

START_TEST(a_file_plays_from_start_to_end)
{
    ck_assert_int_eq(clip_write(path, COUNT, clip_steady), VD_OK);
    vd_source *source = open_source(path);
    const vd_source_info *info = vd_source_get_info(source);
    ck_assert_str_eq(info->name, "clip.mp4");
    ck_assert_str_eq(info->codec, "h264");
    ck_assert_int_eq(info->width, CLIP_WIDTH);
    ck_assert_int_eq(info->height, CLIP_HEIGHT);
    ck_assert(!info->is_live && !info->is_image && info->can_seek);
    ck_assert_double_eq_tol(info->frames_per_s, 25, 0.01);
    for (int i = 0; i < COUNT; i++)
        expect(source, i, clip_steady);
    vd_frame *frame = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_source_read(source, &frame, &error), VD_EEND);
    ck_assert_int_eq(vd_source_read(source, &frame, &error), VD_EEND);
    ck_assert_ptr_null(frame);
    vd_source_stats stats = vd_source_get_stats(source);
    ck_assert_int_eq(stats.frames, COUNT);
    ck_assert_int_eq(stats.dropped_pool + stats.broken, 0);
    ck_assert_int_eq(stats.pool_available, stats.pool_capacity);
    vd_source_close(&source);
    ck_assert_ptr_null(source);
}
END_TEST

/* Winds to every picture, in scattered order, after having seen all of them or none. */
static void wind_everywhere(int64_t (*time_of)(int), bool after_reading)
{
    ck_assert_int_eq(clip_write(path, COUNT, time_of), VD_OK);
    vd_source *source = open_source(path);
    for (int i = 0; after_reading && i < COUNT; i++)
        expect(source, i, time_of);
    for (int i = 0; i < COUNT; i++) {
        int to = i * 37 % COUNT;
        ck_assert_int_eq(vd_source_seek(source, (double)time_of(to) / VD_NS_PER_S, NULL), VD_OK);
        expect(source, to, time_of);
        if (to + 1 < COUNT)
            expect(source, to + 1, time_of);
    }
    vd_source_close(&source);
}

START_TEST(winding_is_exact_on_every_picture)
{
    wind_everywhere(clip_steady, false);
}
END_TEST

START_TEST(winding_is_exact_at_uneven_times)
{
    wind_everywhere(clip_uneven, true);
}
END_TEST

START_TEST(winding_between_and_beyond_pictures)
{
    ck_assert_int_eq(clip_write(path, COUNT, clip_steady), VD_OK);
    vd_source *source = open_source(path);
    ck_assert_int_eq(vd_source_seek(source, 0.99, NULL), VD_OK); /* number 24 is shown from 0.96 to 1.00 s */
    expect(source, 24, clip_steady);
    ck_assert_int_eq(vd_source_seek(source, 1000, NULL), VD_OK);
    expect(source, COUNT - 1, clip_steady);
    ck_assert_int_eq(vd_source_seek(source, -5, NULL), VD_OK);
    expect(source, 0, clip_steady);
    vd_frame *frame = NULL;
    ck_assert_int_eq(vd_source_read(source, &frame, NULL), VD_OK);
    ck_assert_int_eq(frame->serial, 3);
    vd_frame_unref(&frame);
    vd_source_close(&source);
}
END_TEST

START_TEST(frames_outlive_their_source)
{
    ck_assert_int_eq(clip_write(path, 5, clip_steady), VD_OK);
    vd_source *source = open_source(path);
    vd_frame *frames[5];
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(vd_source_read(source, &frames[i], NULL), VD_OK);
    vd_source_close(&source);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(clip_number(&frames[i]->image), i);
        vd_frame_unref(&frames[i]);
    }
}
END_TEST

START_TEST(opening_often_leaves_nothing_behind)
{
    ck_assert_int_eq(clip_write(path, 5, clip_steady), VD_OK);
    int descriptors = 0;
    for (int i = 0; i < 20; i++) {
        vd_source *source = open_source(path);
        expect(source, 0, clip_steady);
        ck_assert_int_eq(vd_source_seek(source, 0.1, NULL), VD_OK);
        vd_source_close(&source);
        ck_assert_int_eq(vd_source_open("/nowhere.mp4", NULL, NULL, &source, NULL), VD_ENOTFOUND);
        int count = 0;
        DIR *folder = opendir("/proc/self/fd");
        while (readdir(folder))
            count++;
        closedir(folder);
        ck_assert(i == 0 || count == descriptors);
        descriptors = count;
    }
}
END_TEST

static void request(void *context)
{
    vd_cancel_request(context);
}

START_TEST(waiting_for_a_frame_can_be_cancelled)
{
    ck_assert_int_eq(clip_write(path, 40, clip_steady), VD_OK);
    vd_cancel cancel;
    vd_thread thread = {0};
    ck_assert_int_eq(vd_cancel_init(&cancel), VD_OK);
    vd_source_options options = VD_SOURCE_OPTIONS_INIT;
    options.pool_frames = 4;
    vd_source *source = NULL;
    ck_assert_int_eq(vd_source_open(path, &options, &cancel, &source, NULL), VD_OK);
    vd_frame *held[6];
    for (int i = 0; i < 6; i++) /* the pool grows once, to 1.5 times its size */
        ck_assert_int_eq(vd_source_read(source, &held[i], NULL), VD_OK);
    ck_assert_int_eq(vd_source_get_stats(source).pool_available, 0);
    ck_assert_int_eq(vd_thread_start(&thread, "cancel", request, &cancel), VD_OK);
    vd_frame *frame = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_source_read(source, &frame, &error), VD_ECANCELED);
    vd_thread_join(&thread);
    for (int i = 0; i < 6; i++)
        vd_frame_unref(&held[i]);
    vd_source_close(&source);
    vd_cancel_fini(&cancel);
}
END_TEST

/* A server on the loopback that says nothing; its listener and its address. */
static int listen_silently(char *address, size_t size, const char *scheme)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(listen(listener, 4), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&name, &length), 0);
    snprintf(address, size, "%s://user:secret@127.0.0.1:%d/live", scheme, ntohs(name.sin_port));
    return listener;
}

struct visitor {
    int listener;
    vd_cancel *cancel;
    int64_t asked_ns;
};

/* Cancels as soon as somebody has connected and asked for something. */
static void cancel_visitor(void *context)
{
    struct visitor *visitor = context;
    char byte;
    int connection = accept(visitor->listener, NULL, NULL);
    if (recv(connection, &byte, 1, MSG_PEEK) == 1) {
        visitor->asked_ns = vd_clock_now_ns();
        vd_cancel_request(visitor->cancel);
    }
    recv(connection, &byte, 1, MSG_DONTWAIT);
    close(connection);
}

static const char *const silent_schemes[] = {"rtsp", "http"};

START_TEST(a_silent_server_can_be_cancelled)
{
    char address[128];
    vd_cancel cancel;
    vd_thread thread = {0};
    ck_assert_int_eq(vd_cancel_init(&cancel), VD_OK);
    struct visitor visitor = {.listener = listen_silently(address, sizeof address, silent_schemes[_i]),
                              .cancel = &cancel};
    ck_assert_int_eq(vd_thread_start(&thread, "visitor", cancel_visitor, &visitor), VD_OK);
    vd_source *source = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_source_open(address, NULL, &cancel, &source, &error), VD_ECANCELED);
    int64_t took_ns = vd_clock_now_ns();
    vd_thread_join(&thread);
    took_ns -= visitor.asked_ns;
    ck_assert_msg(took_ns < 500 * VD_NS_PER_MS, "it took %lld ms", (long long)(took_ns / VD_NS_PER_MS));
    close(visitor.listener);
    vd_cancel_fini(&cancel);
}
END_TEST

START_TEST(a_silent_server_ends_in_one_sentence)
{
    char address[128];
    int listener = listen_silently(address, sizeof address, silent_schemes[_i]);
    vd_source_options options = VD_SOURCE_OPTIONS_INIT;
    options.open_timeout_ns = 400 * VD_NS_PER_MS;
    vd_source *source = NULL;
    vd_error error = {0};
    int64_t start_ns = vd_clock_now_ns();
    ck_assert_int_eq(vd_source_open(address, &options, NULL, &source, &error), VD_ETIMEOUT);
    int64_t took_ns = vd_clock_now_ns() - start_ns;
    ck_assert(took_ns >= 400 * VD_NS_PER_MS && took_ns < 900 * VD_NS_PER_MS);
    ck_assert_ptr_nonnull(strstr(error.text, "does not answer"));
    ck_assert_ptr_nonnull(strstr(error.text, "0.4 s"));
    ck_assert_ptr_null(strstr(error.text, "secret"));
    ck_assert_ptr_null(strstr(error.place, "secret"));
    ck_assert_ptr_nonnull(strstr(error.place, "***@127.0.0.1"));
    close(listener);
}
END_TEST

static void write_file(const char *name, const void *bytes, size_t count)
{
    clip_path(path, sizeof path, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fwrite(bytes, 1, count, file), count);
    fclose(file);
}

static void expect_refusal(const char *address, int code, const char *sentence)
{
    vd_source *source = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_source_open(address, NULL, NULL, &source, &error), code);
    ck_assert_ptr_null(source);
    ck_assert_msg(strstr(error.text, sentence) != NULL, "\"%s\" lacks \"%s\"", error.text, sentence);
    ck_assert_int_eq(error.text[strlen(error.text) - 1], '.');
}

START_TEST(what_is_no_picture_is_refused)
{
    static const char text[] = "Dear diary,\ntoday I was renamed to .mp4.\n";
    static const char html[] = "\n<!DOCTYPE html><html><body>404</body></html>\n";
    expect_refusal("/nowhere/at all.mp4", VD_ENOTFOUND, "There is no file '/nowhere/at all.mp4'");
    expect_refusal(clip_folder(), VD_EINVAL, "is a folder");
    write_file("text.mp4", text, sizeof text - 1);
    expect_refusal(path, VD_EFORMAT,
                   "'text.mp4' is not a video or picture that can be read; it looks like text.");
    write_file("html.mp4", html, sizeof html - 1);
    expect_refusal(path, VD_EFORMAT, "looks like a web page");
    write_file("empty.mp4", "", 0);
    expect_refusal(path, VD_EFORMAT, "'empty.mp4' is empty");
    expect_refusal("gopher://host/1", VD_EINVAL, "no kind of address");
    expect_refusal("", VD_EINVAL, "No source was named");
    clip_path(path, sizeof path, "pipe");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    expect_refusal(path, VD_EINVAL, "is not a file");
}
END_TEST

START_TEST(what_does_not_answer_is_refused)
{
    char address[128], expected[160];
    close(listen_silently(address, sizeof address, "rtsp"));
    expect_refusal(address, VD_EIO, "the connection was refused");
    close(listen_silently(address, sizeof address, "http"));
    expect_refusal(address, VD_EIO, "the connection was refused");
    snprintf(expected, sizeof expected, "There is no camera at /dev/video250; connected cameras: ");
    expect_refusal("/dev/video250", VD_ENOTFOUND, expected);
}
END_TEST

static size_t resident_kib(void)
{
    long pages = 0, ignored;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%ld %ld", &ignored, &pages) != 2)
            pages = 0;
        fclose(file);
    }
    return (size_t)pages * 4;
}

START_TEST(a_huge_picture_is_refused_without_its_memory)
{
    /* A PNG whose header claims 20000 × 20000 pixels. */
    static const unsigned char png[] = {
        0x89, 'P',  'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 'I',  'H',  'D',  'R', 0, 0,
        0x4e, 0x20, 0,   0,   0x4e, 0x20, 8,    2,    0, 0, 0, 0xe9, 0xae, 0x35, 0x07, 0,   0, 0,
        8,    'I',  'D', 'A', 'T',  0x78, 0x9c, 0x03, 0, 0, 0, 0,    1,    0,    0,    0,   0};
    write_file("huge.png", png, sizeof png);
    size_t before_kib = resident_kib();
    expect_refusal(path, VD_EFORMAT, "'huge.png' claims 20000 × 20000 pixels");
    ck_assert_int_lt(resident_kib() - before_kib, 64 * 1024);
}
END_TEST

/* A JPEG of 64 × 32 pixels, white in the upper left quarter and grey in the upper right one, with an EXIF
 * orientation. */
static void write_oriented(int orientation)
{
    static const unsigned char exif[] = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0,    0,    'M', 'M',
                                         0,    42,   0, 0,  0,   8,   0,   1,   0x01, 0x12, 0,   3,
                                         0,    0,    0, 1,  0,   0,   0,   0,   0,    0,    0,   0};
    unsigned char bytes[16384];
    vd_image image = clip_new_image(64, 32);
    for (int y = 0; y < 16; y++)
        for (int x = 0; x < 64; x++)
            memset(image.planes[0] + y * image.strides[0] + 4 * x, x < 32 ? 255 : 120, 4);
    clip_path(path, sizeof path, "oriented.jpg");
    ck_assert_int_eq(vd_image_write(path, &image, NULL), VD_OK);
    free(image.planes[0]);
    FILE *file = fopen(path, "r");
    size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    ck_assert(count > 2 && count < sizeof bytes);
    file = fopen(path, "w");
    fwrite(bytes, 1, 2, file);
    fwrite(exif, 1, 29, file);
    fputc(orientation, file);
    fwrite(exif + 30, 1, sizeof exif - 30, file);
    fwrite(bytes + 2, 1, count - 2, file);
    fclose(file);
}

START_TEST(pictures_are_turned_as_exif_says)
{
    /* where the white and the grey quarter lie: upper left, upper right, lower left, lower right */
    enum { UL, UR, LL, LR };
    static const int white_at[9] = {[1] = UL, UR, LR, LL, UL, UR, LR, LL};
    static const int grey_at[9] = {[1] = UR, UL, LL, LR, LL, LR, UR, UL};
    write_oriented(_i);
    vd_source *source = open_source(path);
    vd_frame *frame = NULL;
    ck_assert_int_eq(vd_source_read(source, &frame, NULL), VD_OK);
    const vd_image *image = &frame->image;
    ck_assert_int_eq(image->width, _i < 5 ? 64 : 32);
    ck_assert_int_eq(image->height, _i < 5 ? 32 : 64);
    int step = image->format == VD_PIXEL_BGRX ? 4 : 1;
    for (int quarter = 0; quarter < 4; quarter++) {
        int x = quarter % 2 ? image->width * 3 / 4 : image->width / 4;
        int y = quarter / 2 ? image->height * 3 / 4 : image->height / 4;
        int expected = quarter == white_at[_i] ? 255 : quarter == grey_at[_i] ? 120 : 0;
        int found = image->planes[0][y * image->strides[0] + x * step];
        ck_assert_msg(abs(found - expected) < 20, "orientation %d, quarter %d: %d", _i, quarter, found);
    }
    vd_frame_unref(&frame);
    vd_source_close(&source);
}
END_TEST

START_TEST(addresses_of_files)
{
    char address[400];
    clip_path(path, sizeof path, "a clip%d of 100%.mp4");
    ck_assert_int_eq(clip_write(path, 3, clip_steady), VD_OK);
    snprintf(address, sizeof address, "file:%s", path);
    vd_source *source = open_source(address);
    vd_source_close(&source);
    snprintf(address, sizeof address, "file://%s/a%%20clip%%25d%%20of%%20100%%25.mp4", clip_folder());
    source = open_source(address);
    ck_assert_str_eq(vd_source_get_info(source)->name, "a clip%d of 100%.mp4");
    vd_source_close(&source);
    ck_assert(vd_source_address_is_live("/dev/video0") && vd_source_address_is_live("rtsp://a/b") &&
              vd_source_address_is_live("https://a/b"));
    ck_assert(!vd_source_address_is_live("clip.mp4") && !vd_source_address_is_live("file:///clip.mp4"));
}
END_TEST

static int open_double(const char *address, const vd_source_options *options, struct vd_cancel *cancel,
                       void **ret_state, vd_source_info *ret_info, vd_error *error)
{
    (void)cancel, (void)error;
    static int state;
    ck_assert_str_eq(address, "double:one");
    ck_assert_str_eq(options->rtsp_transport, "tcp");
    ck_assert_int_eq(options->pool_frames, 8);
    *ret_state = &state;
    ret_info->is_live = true;
    return VD_OK;
}

static int read_double(void *state, struct vd_frame **ret_frame, vd_error *error)
{
    (void)state, (void)ret_frame;
    return vd_error_set(error, VD_EEND, NULL, "The double has ended.");
}

static void close_double(void *state)
{
    *(int *)state += 1;
}

START_TEST(kinds_can_be_added)
{
    static const vd_source_ops ops = {
        .scheme = "double:", .open = open_double, .read = read_double, .close = close_double};
    static const vd_source_ops incomplete = {.scheme = "half:"};
    ck_assert_int_eq(vd_source_register(&incomplete), VD_EINVAL);
    ck_assert_int_eq(vd_source_register(&ops), VD_OK);
    ck_assert_int_eq(vd_source_register(&ops), VD_OK);
    ck_assert(vd_source_address_is_live("double:one"));
    vd_source *source = open_source("double:one");
    vd_frame *frame = NULL;
    vd_error error = {0};
    ck_assert_int_eq(vd_source_read(source, &frame, &error), VD_EEND);
    ck_assert_int_eq(vd_source_seek(source, 0, &error), VD_EUNSUPPORTED);
    vd_source_close(&source);
    vd_source_close(&source);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("source");
    TCase *all = tcase_create("source");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, set_up, clip_remove_folder);
    tcase_add_test(all, a_file_plays_from_start_to_end);
    tcase_add_test(all, winding_is_exact_on_every_picture);
    tcase_add_test(all, winding_is_exact_at_uneven_times);
    tcase_add_test(all, winding_between_and_beyond_pictures);
    tcase_add_test(all, frames_outlive_their_source);
    tcase_add_test(all, opening_often_leaves_nothing_behind);
    tcase_add_test(all, waiting_for_a_frame_can_be_cancelled);
    tcase_add_loop_test(all, a_silent_server_can_be_cancelled, 0, 2);
    tcase_add_loop_test(all, a_silent_server_ends_in_one_sentence, 0, 2);
    tcase_add_test(all, what_is_no_picture_is_refused);
    tcase_add_test(all, what_does_not_answer_is_refused);
    tcase_add_test(all, a_huge_picture_is_refused_without_its_memory);
    tcase_add_loop_test(all, pictures_are_turned_as_exif_says, 1, 9);
    tcase_add_test(all, addresses_of_files);
    tcase_add_test(all, kinds_can_be_added);
    suite_add_tcase(suite, all);
    return suite;
}

TEST_MAIN(make_suite)
