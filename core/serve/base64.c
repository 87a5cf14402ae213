#include "serve/base64.h"

enum { LETTER = 0x40 };

/* The six bits of a letter, marked as one; 0 for what is none. */
static const uint8_t values[256] = {
    ['A'] = LETTER | 0,  ['B'] = LETTER | 1,  ['C'] = LETTER | 2,  ['D'] = LETTER | 3,  ['E'] = LETTER | 4,
    ['F'] = LETTER | 5,  ['G'] = LETTER | 6,  ['H'] = LETTER | 7,  ['I'] = LETTER | 8,  ['J'] = LETTER | 9,
    ['K'] = LETTER | 10, ['L'] = LETTER | 11, ['M'] = LETTER | 12, ['N'] = LETTER | 13, ['O'] = LETTER | 14,
    ['P'] = LETTER | 15, ['Q'] = LETTER | 16, ['R'] = LETTER | 17, ['S'] = LETTER | 18, ['T'] = LETTER | 19,
    ['U'] = LETTER | 20, ['V'] = LETTER | 21, ['W'] = LETTER | 22, ['X'] = LETTER | 23, ['Y'] = LETTER | 24,
    ['Z'] = LETTER | 25, ['a'] = LETTER | 26, ['b'] = LETTER | 27, ['c'] = LETTER | 28, ['d'] = LETTER | 29,
    ['e'] = LETTER | 30, ['f'] = LETTER | 31, ['g'] = LETTER | 32, ['h'] = LETTER | 33, ['i'] = LETTER | 34,
    ['j'] = LETTER | 35, ['k'] = LETTER | 36, ['l'] = LETTER | 37, ['m'] = LETTER | 38, ['n'] = LETTER | 39,
    ['o'] = LETTER | 40, ['p'] = LETTER | 41, ['q'] = LETTER | 42, ['r'] = LETTER | 43, ['s'] = LETTER | 44,
    ['t'] = LETTER | 45, ['u'] = LETTER | 46, ['v'] = LETTER | 47, ['w'] = LETTER | 48, ['x'] = LETTER | 49,
    ['y'] = LETTER | 50, ['z'] = LETTER | 51, ['0'] = LETTER | 52, ['1'] = LETTER | 53, ['2'] = LETTER | 54,
    ['3'] = LETTER | 55, ['4'] = LETTER | 56, ['5'] = LETTER | 57, ['6'] = LETTER | 58, ['7'] = LETTER | 59,
    ['8'] = LETTER | 60, ['9'] = LETTER | 61, ['+'] = LETTER | 62, ['/'] = LETTER | 63,
};

size_t vd_base64_room(size_t length)
{
    return length / 4 * 3 + length % 4 * 3 / 4;
}

/* The length without padding; the length itself where what is there is none. */
static size_t without_padding(const char *text, size_t length)
{
    if (length % 4 != 0 || length == 0 || text[length - 1] != '=')
        return length;
    return text[length - 2] == '=' ? length - 2 : length - 1;
}

static int fail_at(const char *text, size_t from, size_t length, size_t *ret_at)
{
    while (from < length && values[(uint8_t)text[from]] != 0)
        from++;
    *ret_at = from;
    return VD_EFORMAT;
}

/* Two or three letters at the end: one or two bytes, and bits that must be zero. */
static int decode_rest(const char *text, size_t count, uint8_t *out)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t value = values[(uint8_t)text[i]];
        if (value == 0)
            return VD_EFORMAT;
        bits |= (uint32_t)(value - LETTER) << (18 - 6 * i);
    }
    if (count == 1 || (bits & (count == 2 ? 0xffff : 0xff)) != 0)
        return VD_EFORMAT;
    out[0] = (uint8_t)(bits >> 16);
    if (count == 3)
        out[1] = (uint8_t)(bits >> 8);
    return VD_OK;
}

int vd_base64_decode(const char *text, size_t length, uint8_t *out, size_t *ret_size, size_t *ret_at)
{
    size_t letters = without_padding(text, length), i = 0, size = 0;
    for (; i + 4 <= letters; i += 4) {
        uint32_t a = values[(uint8_t)text[i]], b = values[(uint8_t)text[i + 1]];
        uint32_t c = values[(uint8_t)text[i + 2]], d = values[(uint8_t)text[i + 3]];
        if ((a & b & c & d & LETTER) == 0)
            return fail_at(text, i, length, ret_at);
        uint32_t bits = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
        out[size++] = (uint8_t)(bits >> 16);
        out[size++] = (uint8_t)(bits >> 8);
        out[size++] = (uint8_t)bits;
    }
    if (i < letters) {
        if (decode_rest(text + i, letters - i, out + size))
            return fail_at(text, i, letters, ret_at);
        size += letters - i - 1;
    }
    *ret_size = size;
    return VD_OK;
}
