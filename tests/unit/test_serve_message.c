/* Messages: what strangers send, well and badly; what they get. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check_main.h"
#include "seeded.h"
#include "serve/base64.h"
#include "serve/message.h"
#include "serve/message_fields.h"
#include "vedette/app/feed.h"

enum { MOST_BYTES = 1 << 20 };

static vd_error error;
static vd_message message;

static int read_text(const char *text)
{
    return vd_message_read(text, strlen(text), MOST_BYTES, &message, &error);
}

/* --- Base64 */

static size_t encode(const uint8_t *bytes, size_t size, bool padded, char *out)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = 0;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits = (uint32_t)bytes[i] << 16;
        bits |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        bits |= i + 2 < size ? bytes[i + 2] : 0;
        size_t count = size - i >= 3 ? 4 : size - i + 1;
        for (size_t k = 0; k < count; k++)
            out[length++] = letters[bits >> (18 - 6 * k) & 63];
        for (size_t k = count; padded && k < 4; k++)
            out[length++] = '=';
    }
    out[length] = '\0';
    return length;
}

START_TEST(test_base64_there_and_back)
{
    uint64_t state = 5;
    for (size_t size = 0; size < 300; size++)
        for (int padded = 0; padded < 2; padded++) {
            uint8_t bytes[300], back[300];
            char text[404];
            size_t got, at;
            for (size_t i = 0; i < size; i++)
                bytes[i] = (uint8_t)seeded_below(&state, 256);
            size_t length = encode(bytes, size, padded, text);
            ck_assert_uint_le(vd_base64_room(length), sizeof back);
            ck_assert_int_eq(vd_base64_decode(text, length, back, &got, &at), VD_OK);
            ck_assert_uint_eq(got, size);
            ck_assert(memcmp(back, bytes, size) == 0);
        }
}
END_TEST

/* RFC 4648, section 10, and what section 3 lets a strict reader refuse. */
START_TEST(test_base64_cases)
{
    static const struct {
        const char *text, *bytes; /* NULL: refused … */
        size_t at;                /* … here */
    } cases[] = {
        {"", "", 0},
        {"Zg==", "f", 0},
        {"Zm8=", "fo", 0},
        {"Zm9v", "foo", 0},
        {"Zm9vYg==", "foob", 0},
        {"Zm9vYmE=", "fooba", 0},
        {"Zm9vYmFy", "foobar", 0},
        {"Zg", "f", 0},
        {"Zm8", "fo", 0},
        {"Zm9vYg", "foob", 0},
        {"Z", NULL, 1},
        {"Zm9vY", NULL, 5},
        {"Zg=", NULL, 2},
        {"Zg===", NULL, 2},
        {"====", NULL, 0},
        {"Z===", NULL, 1},
        {"=Zg=", NULL, 0},
        {"Zg==Zg==", NULL, 2},
        {"Zm9v\nZm9v", NULL, 4},
        {"Zm9v Zm9v", NULL, 4},
        {"Zm-v", NULL, 2},
        {"Zm_v", NULL, 2},
        {"Zh==", NULL, 2},
        {"Zm9=", NULL, 3},
        {"Z\xc3\xa9m", NULL, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[32];
        size_t size = 99, at = 99;
        int code = vd_base64_decode(cases[i].text, strlen(cases[i].text), bytes, &size, &at);
        ck_assert_msg(code == (cases[i].bytes ? VD_OK : VD_EFORMAT), "%s gave %d", cases[i].text, code);
        if (cases[i].bytes) {
            ck_assert_uint_eq(size, strlen(cases[i].bytes));
            ck_assert(memcmp(bytes, cases[i].bytes, size) == 0);
        } else {
            ck_assert_msg(at == cases[i].at, "%s is wrong at %zu", cases[i].text, at);
        }
    }
}
END_TEST

/* --- Reading */

START_TEST(test_frame)
{
    ck_assert_int_eq(read_text("{\"type\":\"frame\",\"image_data\":\"Zm9vYmE=\",\"frame_id\":12,"
                               "\"timestamp\":1700000000.25}"),
                     VD_OK);
    ck_assert_int_eq(message.kind, VD_MESSAGE_FRAME);
    ck_assert_str_eq(message.frame_id, "12");
    ck_assert(message.timed);
    ck_assert_double_eq(message.timestamp, 1700000000.25);
    ck_assert_uint_eq(message.size, 5);
    ck_assert(memcmp(message.bytes, "fooba", 5) == 0);
    vd_message_clear(&message);
    ck_assert_ptr_null(message.bytes);
    vd_message_clear(&message);

    ck_assert_int_eq(read_text(" {\"image_data\" : \"data:image/jpeg;base64,Zm9v\", \"type\" : \"frame\"}\n"),
                     VD_OK);
    ck_assert_str_eq(message.frame_id, "");
    ck_assert(!message.timed);
    ck_assert_uint_eq(message.size, 3);
    vd_message_clear(&message);
}
END_TEST

START_TEST(test_frame_ids)
{
    static const struct {
        const char *given, *kept; /* NULL: refused */
    } cases[] = {
        {"0", "0"},
        {"-7", "-7"},
        {"9223372036854775807", "9223372036854775807"},
        {"1.5", "1.5"},
        {"0.1", "0.1"},
        {"1.7976931348623157e308", "1.7976931348623157e308"},
        {"\"a\"", "\"a\""},
        {"\"\"", "\"\""},
        {"\"caf\\u00e9 \\\" \\\\ /\"", "\"caf\xc3\xa9 \\\" \\\\ /\""},
        {"\"\\u0007\"", "\"\\u0007\""},
        {"null", ""},
        {"true", NULL},
        {"[1]", NULL},
        {"{}", NULL},
        {"99999999999999999999", NULL},
        {"1e999", NULL},
        {"\"\\u0000\"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        snprintf(text, sizeof text, "{\"type\":\"next\",\"frame_id\":%s}", cases[i].given);
        int code = read_text(text);
        if (cases[i].kept && cases[i].kept[0] != '\0') {
            ck_assert_msg(code == VD_OK, "%s: %s", text, error.text);
            ck_assert_str_eq(message.frame_id, cases[i].kept);
        } else {
            ck_assert_msg(code == VD_EFORMAT, "%s gave %d", text, code);
            ck_assert_str_eq(message.frame_id, "");
        }
    }
}
END_TEST

/* Bytes of the text itself count, whatever they take as JSON. */
START_TEST(test_long_frame_ids)
{
    static const struct {
        const char *written;
        int bytes, kept; /* as JSON */
    } letters[] = {{"x", 1, 1},    {"\xc3\xa9", 2, 2}, {"\\u00e9", 2, 2},
                   {"\\\"", 1, 2}, {"\\u0001", 1, 6},  {"\\n", 1, 2}};
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        for (int count = 70; count < 170; count++) {
            char text[2048] = "{\"type\":\"next\",\"frame_id\":\"";
            for (int k = 0; k < count; k++)
                strcat(text, letters[i].written);
            strcat(text, "\"}");
            bool fits = count * letters[i].bytes <= VD_FRAME_ID_BYTES;
            ck_assert_int_eq(read_text(text), fits ? VD_OK : VD_EINVAL);
            ck_assert_uint_eq(strlen(message.frame_id), fits ? (size_t)(count * letters[i].kept) + 2 : 0);
            if (fits)
                continue;
            ck_assert_str_eq(message.refusal.field, "frame_id");
            ck_assert_str_eq(message.refusal.range, "a number, or a text of at most 159 bytes");
            ck_assert_ptr_nonnull(strstr(error.text, "it must be a number, or a text of at most 159 bytes."));
        }
}
END_TEST

START_TEST(test_long_stamps)
{
    for (int count = 55; count < 70; count++) {
        char text[512] = "{\"type\":\"ping\",\"timestamp\":\"";
        for (int k = 0; k < count; k++)
            strcat(text, "\\u0001");
        strcat(text, "\"}");
        ck_assert_int_eq(read_text(text), count <= VD_STAMP_BYTES ? VD_OK : VD_EFORMAT);
        if (count <= VD_STAMP_BYTES)
            ck_assert_uint_eq(strlen(message.stamp), (size_t)count * 6 + 2);
    }
}
END_TEST

/* What a frame's fields cannot be, from a message and from a query. */
static const struct {
    const char *text, *field, *value, *said;
} refused[] = {
    {"{\"frame_id\":true,\"image_data\":\"Zm9v\"}", "frame_id", "true",
     "frame_id is true; it must be a number, or a text of at most 159 bytes."},
    {"{\"frame_id\":{\"a\":1},\"image_data\":\"Zm9v\"}", "frame_id", "{\"a\":1}",
     "frame_id is {\"a\":1}; it must"},
    {"{\"timestamp\":\"x\",\"image_data\":\"Zm9v\"}", "timestamp", "\"x\"",
     "timestamp is \"x\"; it must be a number of seconds."},
    {"{\"timestamp\":true,\"image_data\":\"Zm9v\"}", "timestamp", "true", "timestamp is true; it must"},
    {"{\"type\":\"ping\"}", "type", "\"ping\"", "it must be `frame` here"},
    {"{\"type\":5}", "type", "5", "needs a type"},
    {"{}", "image_data", "null", "needs image_data"},
    {"{\"image_data\":7}", "image_data", "7", "must be a text"},
    {"{\"image_data\":\"\"}", "image_data", "\"\"", "empty"},
    {"{\"image_data\":\"Zm9v*A\"}", "image_data", "\"Zm9v*A\"", "character 5 of 6"},
    {"{\"image_data\":\"\\u002a\"}", "image_data", "\"*\"", "character 1 of 1"},
};

START_TEST(test_refused)
{
    const char *text = refused[_i].text;
    ck_assert_int_ne(vd_message_read_frame(text, strlen(text), MOST_BYTES, &message, &error), VD_OK);
    ck_assert_str_eq(message.refusal.field, refused[_i].field);
    ck_assert_str_eq(message.refusal.value, refused[_i].value);
    ck_assert_msg(strstr(error.text, refused[_i].said) != NULL, "%s: %s", text, error.text);
    ck_assert(message.refusal.range[0] != '\0');
    ck_assert_int_ne(vd_message_read_frame("{", 1, MOST_BYTES, &message, &error), VD_OK);
    ck_assert_str_eq(message.refusal.field, ""); /* broken JSON is no value */
}
END_TEST

START_TEST(test_words)
{
    static const char *const times[] = {"nan", "inf", "-inf", "1e400", "0x10",
                                        "",    " 1",  "1,5",  "x",     "1\xe2\x80\xa6"};
    static const struct {
        const char *word, *kept;
    } ids[] = {{"7", "7"},
               {"0", "0"},
               {"01", "\"01\""},
               {"1.5", "\"1.5\""},
               {"-3", "\"-3\""},
               {"", "\"\""},
               {"a b", "\"a b\""},
               {"true", "\"true\""},
               {"\"", "\"\\\"\""},
               {"999999999999999", "999999999999999"},
               {"9999999999999999", "\"9999999999999999\""}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        vd_message one = {0};
        ck_assert_int_eq(vd_message_set_timestamp_text(&one, times[i], &error), VD_EFORMAT);
        ck_assert(!one.timed);
        ck_assert_str_eq(one.refusal.field, "timestamp");
        ck_assert_ptr_nonnull(strstr(error.text, "it must be a number of seconds."));
    }
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        vd_message one = {0};
        ck_assert_int_eq(vd_message_set_frame_id_text(&one, ids[i].word, &error), VD_OK);
        ck_assert_str_eq(one.frame_id, ids[i].kept);
    }
    vd_message one = {0};
    ck_assert_int_eq(vd_message_set_timestamp_text(&one, "-1.5e2", &error), VD_OK);
    ck_assert(one.timed && one.timestamp == -150);
    char word[200];
    memset(word, '"', sizeof word);
    word[160] = '\0';
    ck_assert_int_eq(vd_message_set_frame_id_text(&one, word, &error), VD_EINVAL);
    ck_assert_str_eq(one.refusal.field, "frame_id");
    word[159] = '\0';
    ck_assert_int_eq(vd_message_set_frame_id_text(&one, word, &error), VD_OK);
    ck_assert_uint_eq(strlen(one.frame_id), 2 * 159 + 2);
}
END_TEST

START_TEST(test_others)
{
    ck_assert_int_eq(read_text("{\"type\":\"ping\",\"timestamp\":1234.5}"), VD_OK);
    ck_assert_int_eq(message.kind, VD_MESSAGE_PING);
    ck_assert_str_eq(message.stamp, "1234.5");
    ck_assert_int_eq(read_text("{\"type\":\"ping\"}"), VD_OK);
    ck_assert_str_eq(message.stamp, "null");
    ck_assert_int_eq(read_text("{\"type\":\"ping\",\"timestamp\":\"a b\"}"), VD_OK);
    ck_assert_str_eq(message.stamp, "\"a b\"");
    ck_assert_int_eq(read_text("{\"type\":\"ping\",\"timestamp\":[]}"), VD_EFORMAT);

    ck_assert_int_eq(read_text("{\"type\":\"config\",\"config\":{\"fps_limit\":5}}"), VD_OK);
    ck_assert_int_eq(message.kind, VD_MESSAGE_CONFIG);
    ck_assert_int_eq(json_integer_value(json_object_get(message.config, "fps_limit")), 5);
    vd_message_clear(&message);
    ck_assert_int_eq(read_text("{\"fps_limit\":5,\"type\":\"config\"}"), VD_OK);
    ck_assert_uint_eq(json_object_size(message.config), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(message.config, "fps_limit")), 5);
    vd_message_clear(&message);
    ck_assert_int_eq(read_text("{\"type\":\"config\",\"config\":[5]}"), VD_EFORMAT);

    ck_assert_int_eq(read_text("{\"type\":\"auth\",\"token\":\"0123456789abcdef\"}"), VD_OK);
    ck_assert_int_eq(message.kind, VD_MESSAGE_AUTH);
    ck_assert_str_eq(message.token, "0123456789abcdef");
    vd_message_clear(&message);
    ck_assert_str_eq(message.token, "");
    ck_assert_int_eq(read_text("{\"type\":\"auth\",\"token\":5}"), VD_EFORMAT);
    ck_assert_int_eq(read_text("{\"type\":\"auth\"}"), VD_EFORMAT);
}
END_TEST

static const struct {
    const char *text;
    int code;
    const char *said, *frame_id;
} bad[] = {
    {"", VD_EFORMAT, "The message is not valid JSON (near byte 0).", ""},
    {"{", VD_EFORMAT, "not valid JSON", ""},
    {"{\"type\":\"ping\"} x", VD_EFORMAT, "not valid JSON (near byte 17)", ""},
    {"{'type':'ping'}", VD_EFORMAT, "not valid JSON", ""},
    {"[]", VD_EFORMAT, "no JSON object", ""},
    {"null", VD_EFORMAT, "no JSON object", ""},
    {"7", VD_EFORMAT, "no JSON object", ""},
    {"\xff{}", VD_EFORMAT, "UTF-8", ""},
    {"{\"type\":\"\xc3(\"}", VD_EFORMAT, "UTF-8", ""},
    {"{\"type\":\"\xed\xa0\x80\"}", VD_EFORMAT, "UTF-8", ""},
    {"{\"type\":\"\\ud800\"}", VD_EFORMAT, "not valid JSON", ""},
    {"{\"type\":\"ping\",\"type\":\"ping\"}", VD_EFORMAT, "twice", ""},
    {"{\"type\":\"a\\u0000\"}", VD_EFORMAT, "zero character", ""},
    {"{\"type\":\"ping\",\"timestamp\":1e999}", VD_EFORMAT, "number", ""},
    {"{\"frame_id\":7}", VD_EFORMAT, "needs a type", "7"},
    {"{\"type\":5,\"frame_id\":7}", VD_EFORMAT, "needs a type", "7"},
    {"{\"type\":\"pign\"}", VD_EFORMAT, "There is no type `pign`; did you mean `ping`?", ""},
    {"{\"type\":\"detection_result\"}", VD_EFORMAT, "there are frame, next, config, ping and auth", ""},
    {"{\"type\":\"frame\",\"frame_id\":7}", VD_EFORMAT, "needs image_data", "7"},
    {"{\"type\":\"frame\",\"frame_id\":7,\"image_data\":null}", VD_EFORMAT, "must be a text", "7"},
    {"{\"type\":\"frame\",\"frame_id\":7,\"image_data\":\"\"}", VD_EFORMAT, "empty", "7"},
    {"{\"type\":\"frame\",\"frame_id\":7,\"image_data\":\"data:image/png;base64,\"}", VD_EFORMAT, "empty",
     "7"},
    {"{\"type\":\"frame\",\"frame_id\":7,\"image_data\":\"Zm9v*A\"}", VD_EFORMAT, "character 5 of 6", "7"},
    {"{\"type\":\"frame\",\"frame_id\":7,\"image_data\":\"data:image/png;base64,Zm9v*A\"}", VD_EFORMAT,
     "character 27 of 28", "7"},
    {"{\"type\":\"frame\",\"frame_id\":7,\"image_data\":\"data:image/png,Zm9v\"}", VD_EFORMAT, "character 5",
     "7"},
    {"{\"type\":\"frame\",\"frame_id\":7,\"image_data\":\"data:text/plain;base64,Zm9v,\"}", VD_EFORMAT,
     "Base64", "7"},
    {"{\"type\":\"frame\",\"frame_id\":\"a\",\"image_data\":\"Zm9v\",\"timestamp\":\"now\"}", VD_EFORMAT,
     "timestamp is \"now\"; it must be a number of seconds.", "\"a\""},
    {"{\"type\":\"next\"}", VD_EFORMAT, "needs a frame_id", ""},
    {"[[[[[[[[[1]]]]]]]]]", VD_EFORMAT, "deeper than 8", ""},
    {"{\"type\":\"ping\",\"a\":{\"b\":[{\"c\":[[[[[1]]]]]}]}}", VD_EFORMAT, "deeper than 8", ""},
};

START_TEST(test_bad)
{
    int code = read_text(bad[_i].text);
    ck_assert_msg(code == bad[_i].code, "%s gave %d: %s", bad[_i].text, code, error.text);
    ck_assert_int_eq(error.code, code);
    ck_assert_msg(strstr(error.text, bad[_i].said) != NULL, "%s: %s", bad[_i].text, error.text);
    ck_assert_str_eq(message.frame_id, bad[_i].frame_id);
    ck_assert_ptr_null(message.bytes);
    ck_assert_ptr_null(message.config);
}
END_TEST

/* Brackets in texts count for nothing; 8 levels do. */
START_TEST(test_depth)
{
    ck_assert_int_eq(read_text("{\"type\":\"ping\",\"a\":[[[[[[[1]]]]]]]}"), VD_OK);
    ck_assert_int_eq(read_text("{\"type\":\"ping\",\"a\":\"[[[[[[[[[[[[[[ \\\" {{{{{{{{{\"}"), VD_OK);
    ck_assert_int_eq(read_text("{\"type\":\"ping\",\"a\\\\\":[[[[[[[[1]]]]]]]]}"), VD_EFORMAT);
    enum { MANY = 100000 };
    char *deep = malloc(MANY);
    ck_assert_ptr_nonnull(deep);
    memset(deep, '[', MANY);
    ck_assert_int_eq(vd_message_read(deep, MANY, MOST_BYTES, &message, &error), VD_EFORMAT);
    json_t *object;
    ck_assert_int_eq(vd_json_read_object(deep, MANY, &object, &error), VD_EFORMAT);
    free(deep);
    ck_assert_int_eq(vd_json_read_object("{\"a\":[1]}", 9, &object, &error), VD_OK);
    ck_assert_uint_eq(json_object_size(object), 1);
    json_decref(object);
}
END_TEST

START_TEST(test_body)
{
    static const char frame[] = "{\"image_data\":\"Zm9v\",\"frame_id\":\"x\"}";
    static const char other[] = "{\"type\":\"config\",\"frame_id\":\"x\"}";
    ck_assert_int_eq(vd_message_read_frame(frame, sizeof frame - 1, MOST_BYTES, &message, &error), VD_OK);
    ck_assert_int_eq(message.kind, VD_MESSAGE_FRAME);
    ck_assert_uint_eq(message.size, 3);
    vd_message_clear(&message);
    ck_assert_int_eq(vd_message_read_frame(other, sizeof other - 1, MOST_BYTES, &message, &error),
                     VD_EFORMAT);
    ck_assert_str_eq(error.text, "The type is `config`; it must be `frame` here.");
    ck_assert_str_eq(message.frame_id, "\"x\"");
}
END_TEST

/* --- Large pictures, which are decoded without being parsed */

static char *large_message(size_t size, const char *before, const char *behind, size_t *ret_length)
{
    uint8_t *bytes = malloc(size);
    char *text = malloc(size * 4 / 3 + 512);
    ck_assert(bytes && text);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 7);
    strcpy(text, before);
    size_t length = strlen(text);
    length += encode(bytes, size, true, text + length);
    strcpy(text + length, behind);
    *ret_length = length + strlen(behind);
    free(bytes);
    return text;
}

static int read_large(size_t size, const char *before, const char *behind)
{
    size_t length;
    char *text = large_message(size, before, behind, &length);
    int code = vd_message_read(text, length, MOST_BYTES, &message, &error);
    free(text);
    return code;
}

START_TEST(test_large)
{
    static const char head[] = "{\"frame_id\":3,\"image_data\" :\t\"";
    ck_assert_int_eq(read_large(200000, head, "\",\"type\":\"frame\"}"), VD_OK);
    ck_assert_uint_eq(message.size, 200000);
    for (size_t i = 0; i < message.size; i++)
        if (message.bytes[i] != (uint8_t)(i * 7))
            ck_abort_msg("byte %zu is wrong", i);
    vd_message_clear(&message);

    /* Escapes that stand for letters: parsed as any other text. */
    ck_assert_int_eq(read_large(3000, head, "Zm9v\\/\\u002b\\u002F+\",\"type\":\"frame\"}"), VD_OK);
    ck_assert_uint_eq(message.size, 3006);
    vd_message_clear(&message);

    ck_assert_int_eq(read_large(3000, head, "\",\"type\":\"frame\",\"image_data\":\"Zm9v\"}"), VD_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "twice"));
    ck_assert_int_eq(read_large(3000, head, "\",\"type\":\"frame\",\"image\\u005fdata\":\"Zm9v\"}"),
                     VD_EFORMAT);
    ck_assert_int_eq(read_large(3000, head, "\xff\",\"type\":\"frame\"}"), VD_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "Base64"));
    ck_assert_int_eq(read_large(3000, head, "\",\"type\":\"frame\""), VD_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "near byte 404"));
    ck_assert_int_eq(read_large(3000, head, ""), VD_EFORMAT);
    ck_assert_int_eq(read_large(3000, "{\"type\":\"frame\",\"a\":{\"image_data\":\"", "\"}}"), VD_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.text, "needs image_data"));
    ck_assert_int_eq(read_large(3000, "{\"type\":\"frame\",\"image_data\",\"", "\"}"), VD_EFORMAT);
}
END_TEST

START_TEST(test_too_large)
{
    for (size_t most = 2998; most < 3004; most++) {
        size_t length;
        char *text =
            large_message(3000, "{\"frame_id\":3,\"type\":\"frame\",\"image_data\":\"", "\"}", &length);
        int code = vd_message_read(text, length, most, &message, &error);
        ck_assert_int_eq(code, most >= 3000 ? VD_OK : VD_EINVAL);
        ck_assert_str_eq(message.frame_id, "3");
        if (code == VD_OK)
            vd_message_clear(&message);
        else
            ck_assert_ptr_nonnull(strstr(error.text, "The picture has 3000 bytes"));
        free(text);
    }
}
END_TEST

/* A picture of a megabyte costs the service's thread little. Processor time, so that it does not matter what
 * else the machine does; ten times what it takes here. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
static const double most_ms = 200;
#else
static const double most_ms = 5;
#endif

START_TEST(test_fast)
{
    size_t length;
    char *text = large_message(1000000, "{\"type\":\"frame\",\"image_data\":\"", "\"}", &length);
    double best_ms = 1e9;
    for (int i = 0; i < 20; i++) {
        clock_t began = clock();
        ck_assert_int_eq(vd_message_read(text, length, MOST_BYTES, &message, &error), VD_OK);
        double took_ms = (double)(clock() - began) * 1000 / CLOCKS_PER_SEC;
        best_ms = took_ms < best_ms ? took_ms : best_ms;
        vd_message_clear(&message);
    }
    free(text);
    printf("a picture of 1,000,000 bytes is read in %.2f ms\n", best_ms);
    ck_assert_double_lt(best_ms, most_ms);
}
END_TEST

/* --- Writing */

static json_t *parse(char *text)
{
    json_error_t why;
    json_t *parsed = text ? json_loads(text, JSON_REJECT_DUPLICATES, &why) : NULL;
    ck_assert_msg(parsed != NULL, "%s", text ? text : "no text");
    ck_assert_msg(!strchr(text, '\n'), "%s", text);
    free(text);
    return parsed;
}

static vd_answer result_answer(const vd_detection *detections, size_t count, vd_labels *labels)
{
    return (vd_answer){.kind = VD_ANSWER_RESULT,
                       .frame_id = "12",
                       .detections = detections,
                       .count = count,
                       .labels = labels,
                       .width = 640,
                       .height = 480,
                       .input_width = 320,
                       .input_height = 256,
                       .processing_ms = 12.34567,
                       .queue_ms = 1.5,
                       .decode_ms = 2,
                       .forward_ms = 8.8454,
                       .mode = VD_QUALITY_BALANCED,
                       .level = 1,
                       .fps = 7.5,
                       .model = "yolov8n"};
}

START_TEST(test_write_result)
{
    static const char *const names[] = {"per\"son", "\xff\\bike\n"};
    static const char wanted[] =
        "{\"type\":\"detection_result\",\"data\":{\"frame_id\":12,\"detections\":["
        "{\"bbox\":[1.25,2.00,300.12,400.00],\"confidence\":0.91235,\"class_id\":0,\"class_name\":"
        "\"per\\\"son\","
        "\"track_id\":3},"
        "{\"bbox\":[0.00,0.00,1.00,0.00],\"confidence\":1.00000,\"class_id\":1,"
        "\"class_name\":\"\xef\xbf\xbd\\\\bike \"}],"
        "\"processing_time_ms\":12.346,\"timing_ms\":{\"queue\":1.500,\"decode\":2.000,\"forward\":8.845},"
        "\"width\":640,\"height\":480,\"model\":\"yolov8n\",\"input\":[320,256],"
        "\"quality\":{\"mode\":\"balanced\",\"level\":1,\"fps\":7.50}}}";
    static const vd_detection detections[] = {{{1.25f, 2, 300.125f, 400}, 0.912346f, 0, 3},
                                              {{-0.001f, NAN, 1, INFINITY}, 1, 1, 0}};
    vd_labels *labels = NULL;
    ck_assert_int_eq(vd_labels_new(names, 2, &labels), VD_OK);
    vd_answer answer = result_answer(detections, 2, labels);
    setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is installed */
    char *text = vd_message_write_answer(&answer);
    ck_assert_str_eq(text, wanted);
    json_decref(parse(text));
    vd_labels_unref(&labels);
}
END_TEST

START_TEST(test_write_empty_result)
{
    vd_answer answer = result_answer(NULL, 0, NULL);
    answer.frame_id = "";
    answer.input_width = 0;
    json_t *parsed = parse(vd_message_write_answer(&answer)), *data = json_object_get(parsed, "data");
    ck_assert(json_is_null(json_object_get(data, "frame_id")));
    ck_assert_uint_eq(json_array_size(json_object_get(data, "detections")), 0);
    ck_assert_ptr_null(json_object_get(data, "input"));
    json_decref(parsed);
}
END_TEST

/* As many as there can be: the text grows with them. */
START_TEST(test_write_many)
{
    static vd_detection detections[VD_MAX_DETECTIONS];
    for (int i = 0; i < VD_MAX_DETECTIONS; i++)
        detections[i] = (vd_detection){{1e6f, -1e6f, 1e6f, 3e38f}, 0.5f, i, 1000000 + i};
    vd_answer answer = result_answer(detections, VD_MAX_DETECTIONS, NULL);
    json_t *parsed = parse(vd_message_write_answer(&answer)), *data = json_object_get(parsed, "data");
    json_t *list = json_object_get(data, "detections");
    ck_assert_uint_eq(json_array_size(list), VD_MAX_DETECTIONS);
    json_t *last = json_array_get(list, VD_MAX_DETECTIONS - 1);
    ck_assert_int_eq(json_integer_value(json_object_get(last, "track_id")), 1000299);
    json_decref(parsed);
}
END_TEST

START_TEST(test_write_others)
{
    static const char *const reasons[] = {"fps_limit", "queue_full", "superseded", "deadline"};
    char wanted[256], line[VD_FRAME_ID + 80];
    vd_answer answer = {.kind = VD_ANSWER_SKIPPED, .frame_id = "\"x\""};
    for (int i = 0; i < 4; i++) {
        answer.reason = (vd_skip_reason)i;
        snprintf(wanted, sizeof wanted, "{\"type\":\"skipped\",\"frame_id\":\"x\",\"reason\":\"%s\"}",
                 reasons[i]);
        char *text = vd_message_write_answer(&answer);
        ck_assert_str_eq(text, wanted);
        free(text);
        ck_assert_int_eq(vd_message_print_short(&answer, line, sizeof line), (int)strlen(wanted));
        ck_assert_str_eq(line, wanted);
    }
    vd_error_set(&error, VD_EFORMAT, NULL, "No \"picture\".");
    answer = (vd_answer){.kind = VD_ANSWER_ERROR, .frame_id = "5", .error = &error};
    char *text = vd_message_write_answer(&answer);
    ck_assert_str_eq(text, "{\"type\":\"error\",\"error\":\"No \\\"picture\\\".\",\"frame_id\":5}");
    free(text);
    text = vd_message_write_ping("1.5");
    ck_assert_str_eq(text, "{\"type\":\"ping\",\"timestamp\":1.5}");
    free(text);
    text = vd_message_write_error("Wrong.", NULL, NULL);
    ck_assert_str_eq(text, "{\"type\":\"error\",\"error\":\"Wrong.\",\"frame_id\":null}");
    free(text);
    vd_refusal refusal = {"fps_limit", "99", "a whole number from 1 to 30"};
    text = vd_message_write_error("Wrong.", "", &refusal);
    ck_assert_str_eq(text,
                     "{\"type\":\"error\",\"error\":\"Wrong.\",\"frame_id\":null,\"field\":\"fps_limit\","
                     "\"value\":99,\"range\":\"a whole number from 1 to 30\"}");
    free(text);
}
END_TEST

/* The longest short answer fits where it is promised to. */
START_TEST(test_short_answers)
{
    char id[VD_FRAME_ID], line[VD_FRAME_ID + 80];
    memset(id, '1', sizeof id);
    id[sizeof id - 1] = '\0';
    for (int kind = 0; kind < 3; kind++) {
        vd_answer answer = {.kind = (vd_answer_kind)kind, .frame_id = id, .reason = VD_SKIP_SUPERSEDED};
        ck_assert_int_lt(vd_message_print_short(&answer, line, sizeof line), (int)sizeof line);
        ck_assert_int_eq(line[strlen(line) - 1], '}');
    }
}
END_TEST

START_TEST(test_write_config)
{
    vd_session_config config = {.fps_limit = 5, .confidence_threshold = 0.3, .max_detections = 1};
    json_t *parsed = parse(vd_message_write_config("0123", &config));
    ck_assert_str_eq(json_string_value(json_object_get(parsed, "type")), "config");
    ck_assert_str_eq(json_string_value(json_object_get(parsed, "client_id")), "0123");
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(parsed, "config"), "fps_limit")), 5);
    json_decref(parsed);
}
END_TEST

START_TEST(test_write_feed)
{
    vd_detection detection = {{1, 2, 3, 4}, 0.5f, 7, 2};
    vd_feed_item item = {.kind = VD_FEED_DETECTIONS,
                         .unix_ms = 1700000000123,
                         .frame_index = 41,
                         .time_s = 1.64,
                         .width = 64,
                         .height = 48,
                         .model = "m",
                         .latency_ms = 9.5,
                         .detections = &detection,
                         .detection_count = 1};
    char *text = vd_message_write_feed("D\"oor", &item);
    ck_assert_str_eq(text,
                     "{\"type\":\"detections\",\"camera\":\"D\\\"oor\",\"unix_ms\":1700000000123,\"data\":{"
                     "\"frame\":41,\"time\":1.640,\"detections\":[{\"bbox\":[1.00,2.00,3.00,4.00],"
                     "\"confidence\":0.50000,\"class_id\":7,\"class_name\":\"class 7\",\"track_id\":2}],"
                     "\"latency_ms\":9.500,\"width\":64,\"height\":48,\"model\":\"m\"}}");
    free(text);
    item = (vd_feed_item){.kind = VD_FEED_STATE, .state = VD_CAMERA_FAILED, .reason = "No route."};
    text = vd_message_write_feed("Door", &item);
    ck_assert_str_eq(text,
                     "{\"type\":\"state\",\"camera\":\"Door\",\"unix_ms\":0,\"data\":{\"state\":\"failed\","
                     "\"reason\":\"No route.\"}}");
    free(text);
    item = (vd_feed_item){.kind = VD_FEED_EVENT,
                          .event = {.id = 5,
                                    .track_id = 2,
                                    .class_name = "car",
                                    .opened_s = 1.5,
                                    .seen_s = 2.5,
                                    .confidence = 0.75f,
                                    .verdict = VD_VERDICT_UNVERIFIED,
                                    .cause = VD_CAUSE_TIMED_OUT,
                                    .judgement = VD_JUDGEMENT_CONFIRMED,
                                    .revision = 9}};
    json_t *parsed = parse(vd_message_write_feed("Door", &item)), *data = json_object_get(parsed, "data");
    ck_assert_str_eq(json_string_value(json_object_get(data, "verdict")), "unverified");
    ck_assert_str_eq(json_string_value(json_object_get(data, "verdict_words")), "unverified: timed out");
    ck_assert_str_eq(json_string_value(json_object_get(data, "judgement")), "confirmed");
    ck_assert_int_eq(json_integer_value(json_object_get(data, "revision")), 9);
    json_decref(parsed);
    item.event.verdict = VD_VERDICT_NONE;
    parsed = parse(vd_message_write_feed("Door", &item));
    ck_assert_ptr_null(json_object_get(json_object_get(parsed, "data"), "score"));
    json_decref(parsed);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("serve_message");
    TCase *tests = tcase_create("message");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, test_base64_there_and_back);
    tcase_add_test(tests, test_base64_cases);
    tcase_add_test(tests, test_frame);
    tcase_add_test(tests, test_frame_ids);
    tcase_add_test(tests, test_long_frame_ids);
    tcase_add_test(tests, test_long_stamps);
    tcase_add_loop_test(tests, test_refused, 0, sizeof refused / sizeof *refused);
    tcase_add_test(tests, test_words);
    tcase_add_test(tests, test_others);
    tcase_add_loop_test(tests, test_bad, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tests, test_depth);
    tcase_add_test(tests, test_body);
    tcase_add_test(tests, test_large);
    tcase_add_test(tests, test_too_large);
    tcase_add_test(tests, test_fast);
    tcase_add_test(tests, test_write_result);
    tcase_add_test(tests, test_write_empty_result);
    tcase_add_test(tests, test_write_many);
    tcase_add_test(tests, test_write_others);
    tcase_add_test(tests, test_short_answers);
    tcase_add_test(tests, test_write_config);
    tcase_add_test(tests, test_write_feed);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(make_suite)
