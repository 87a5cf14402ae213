/* What the window says: names without secrets, texts that fit, states that are told apart. */
#include <string.h>

#include "check_main.h"
#include "ui/words.h"

#define NS_PER_S INT64_C(1000000000)

static char out[512];

static vd_camera_status live_status(void)
{
    vd_camera_status status = {.state = VD_CAMERA_PLAYING, .model_state = VD_MODEL_READY, .exact = true};
    status.source = (vd_source_info){.is_live = true, .width = 768, .height = 432, .frames_per_s = 10};
    strcpy(status.model, "yolov8n-320");
    status.captured_per_s = status.shown_per_s = status.detected_per_s = 10;
    status.picture_age_ms = 38;
    return status;
}

START_TEST(times)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{0, "00:00"},  {-3, "00:00"},     {41.99, "00:41"},  {139, "02:19"},
                 {60, "01:00"}, {3599.5, "59:59"}, {3600, "1:00:00"}, {7384, "2:03:04"}};
    vd_words_time(out, sizeof out, cases[_i].seconds);
    ck_assert_str_eq(out, cases[_i].text);
}
END_TEST

static const struct {
    const char *address, *name;
    int secret;
} NAMES[] = {{"/home/u/clips/gate.mp4", "gate.mp4", 0},
             {"gate.mp4", "gate.mp4", 0},
             {"file:///tmp/a%20b.mp4", "a b.mp4", 0},
             {"/dev/video0", "video0", 0},
             {"demo:seed=3", "Demonstration", 0},
             {"rtsp://cam.example/stream1", "cam.example", 0},
             {"rtsp://admin:pw@cam.example:554/stream1", "cam.example:554", 1},
             {"rtsp://admin:p@ss@cam.example/1", "cam.example", 1},
             {"http://cam/video?token=abc", "cam", 1}};

START_TEST(names)
{
    vd_words_name(out, sizeof out, NAMES[_i].address);
    ck_assert_str_eq(out, NAMES[_i].name);
    ck_assert_int_eq(!!vd_words_is_secret(NAMES[_i].address), NAMES[_i].secret);
}
END_TEST

START_TEST(names_are_cut_at_a_border)
{
    char small[8];
    vd_words_name(small, sizeof small, "/tmp/ääää.mp4");
    ck_assert_str_eq(small, "äää");
}
END_TEST

START_TEST(file_names)
{
    vd_words_file_name(out, sizeof out, "gate.mp4");
    ck_assert_str_eq(out, "gate");
    vd_words_file_name(out, sizeof out, "cam.example:554/1");
    ck_assert_ptr_null(strchr(out, '/'));
    vd_words_file_name(out, sizeof out, "192.168.0.12");
    ck_assert_str_eq(out, "192.168.0.12");
}
END_TEST

START_TEST(models)
{
    vd_words_model(out, sizeof out, "/models/yolov8n-320.onnx");
    ck_assert_str_eq(out, "yolov8n-320");
    vd_words_model(out, sizeof out, "builtin:people");
    ck_assert_str_eq(out, "people (built in)");
    vd_words_model(out, sizeof out, "demo");
    ck_assert_str_eq(out, "road-detector");
}
END_TEST

START_TEST(errors_name_their_place_once)
{
    vd_error error = {.code = VD_EINVAL};
    strcpy(error.place, "/etc/vedette.conf:3");
    strcpy(error.text, "There is no setting x.");
    vd_words_error(out, sizeof out, &error);
    ck_assert_str_eq(out, "/etc/vedette.conf:3: There is no setting x.");
    strcpy(error.place, "/clips/text.mp4");
    strcpy(error.text, "'text.mp4' is no video.");
    vd_words_error(out, sizeof out, &error);
    ck_assert_str_eq(out, "'text.mp4' is no video.");
}
END_TEST

START_TEST(subtitles)
{
    vd_camera_status status = live_status();
    vd_words_subtitle(out, sizeof out, &status);
    ck_assert_str_eq(out, "768 × 432 · 10 fps · yolov8n-320");
    status.source.frames_per_s = 30000.0 / 1001;
    vd_words_subtitle(out, sizeof out, &status);
    ck_assert_str_eq(out, "768 × 432 · 29.97 fps · yolov8n-320");
    memset(&status, 0, sizeof status);
    vd_words_subtitle(out, sizeof out, &status);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(badges)
{
    vd_camera_status status = live_status();
    vd_words_badge(out, sizeof out, "Gate north", &status, "yolov8n-320");
    ck_assert_str_eq(out, "Gate north · live · exact, 38 ms");
    status.model_state = VD_MODEL_LOADING;
    vd_words_badge(out, sizeof out, "Gate north", &status, "other");
    ck_assert_str_eq(out, "Gate north · live · exact, 38 ms · loading other…");
    status = live_status();
    status.source.is_live = false;
    status.state = VD_CAMERA_PAUSED;
    vd_words_badge(out, sizeof out, "clip", &status, NULL);
    ck_assert_str_eq(out, "clip · file, paused · exact");
    status.model_state = VD_MODEL_FAILED;
    status.model[0] = '\0';
    vd_words_badge(out, sizeof out, "clip", &status, NULL);
    ck_assert_str_eq(out, "clip · file, paused · no detector");
}
END_TEST

START_TEST(rates_keep_their_places)
{
    char other[512];
    vd_camera_status status = live_status();
    status.dropped_source = 2;
    status.dropped_display = 3;
    vd_words_rates(out, sizeof out, &status);
    ck_assert_str_eq(out, "Capture 10.0 · Shown 10.0 · Checked 10.0 fps · Picture \xe2\x80\x87"
                          "38 ms old · Dropped 5");
    status.captured_per_s = 9.4;
    vd_words_rates(other, sizeof other, &status);
    ck_assert_ptr_nonnull(strstr(other, "Capture \xe2\x80\x87"
                                        "9.4 · Shown"));
}
END_TEST

START_TEST(remarks)
{
    vd_camera_status status = live_status();
    vd_words_remark(out, sizeof out, &status);
    ck_assert_str_eq(out, "");
    status.captured_per_s = 25;
    status.detected_per_s = 21;
    vd_words_remark(out, sizeof out, &status);
    ck_assert_str_eq(out, "Detection slower than the camera: 21 of 25 pictures a second are checked");
    /* A file that is read ahead is not slow. */
    status.source.is_live = false;
    vd_words_remark(out, sizeof out, &status);
    ck_assert_str_eq(out, "");
    strcpy(status.sync_note, "Boxes are moved on.");
    vd_words_remark(out, sizeof out, &status);
    ck_assert_str_eq(out, "Boxes are moved on.");
}
END_TEST

START_TEST(messages)
{
    char title[160], detail[160];
    vd_camera_status status = live_status();
    vd_words_message("Gate", &status, NS_PER_S, title, sizeof title, detail, sizeof detail);
    ck_assert_str_eq(title, "");
    status.state = VD_CAMERA_FAILED;
    status.since_ns = NS_PER_S;
    status.shown = 100;
    vd_words_message("Gate", &status, 13 * NS_PER_S, title, sizeof title, detail, sizeof detail);
    ck_assert_str_eq(title, "Gate was lost 12 s ago");
    status.shown = 0;
    vd_words_message("Gate", &status, 13 * NS_PER_S, title, sizeof title, detail, sizeof detail);
    ck_assert_str_eq(title, "Gate cannot be shown");
    status.state = VD_CAMERA_CONNECTING;
    vd_words_message("Gate", &status, 5 * NS_PER_S, title, sizeof title, detail, sizeof detail);
    ck_assert_str_eq(title, "Opening Gate…");
    ck_assert_str_eq(detail, "No picture yet, for 4 s");
    status.state = VD_CAMERA_ENDED;
    vd_words_message("Gate", &status, 5 * NS_PER_S, title, sizeof title, detail, sizeof detail);
    ck_assert_str_eq(title, "The end");
}
END_TEST

START_TEST(boxes)
{
    vd_draw_box two[2] = {{.box = {431, 135, 607, 579}, .label = "person 0.87"},
                          {.box = {1.4f, 2, 30, 40}, .style = VD_BOX_PREDICTED, .label = "car 0.50"}};
    vd_words_boxes(out, sizeof out, 41, two, 2);
    ck_assert_str_eq(out,
                     "frame 41, 2 boxes: person 0.87 at 431 135 607 579; car 0.50 at 1 2 30 40 predicted");
    vd_words_boxes(out, sizeof out, 7, two, 1);
    ck_assert_str_eq(out, "frame 7, 1 box: person 0.87 at 431 135 607 579");
    two[0].mark = VD_MARK_REJECTED;
    vd_words_boxes(out, sizeof out, 8, two, 1);
    ck_assert_str_eq(out, "frame 8, 1 box: person 0.87 rejected at 431 135 607 579");
    vd_words_boxes(out, sizeof out, 0, two, 0);
    ck_assert_str_eq(out, "frame 0, 0 boxes");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("ui_words");
    TCase *words = tcase_create("words");
    tcase_add_loop_test(words, times, 0, 8);
    tcase_add_loop_test(words, names, 0, (int)(sizeof NAMES / sizeof NAMES[0]));
    tcase_add_test(words, names_are_cut_at_a_border);
    tcase_add_test(words, file_names);
    tcase_add_test(words, models);
    tcase_add_test(words, errors_name_their_place_once);
    tcase_add_test(words, subtitles);
    tcase_add_test(words, badges);
    tcase_add_test(words, rates_keep_their_places);
    tcase_add_test(words, remarks);
    tcase_add_test(words, messages);
    tcase_add_test(words, boxes);
    suite_add_tcase(suite, words);
    return suite;
}

TEST_MAIN(make_suite)
