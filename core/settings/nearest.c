#include "vedette/app/nearest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 48 };

static int least_of(int a, int b)
{
    return a < b ? a : b;
}

static int same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* The edit distance with swaps of neighbours counted as one (optimal string alignment). */
static int distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int rows[3][LONGEST + 1];
    int *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        above[j] = (int)j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = (int)i;
        for (size_t j = 1; j <= b_length; j++) {
            int changed = above[j - 1] + !same_letter(a[i - 1], b[j - 1]);
            row[j] = least_of(changed, least_of(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]))
                row[j] = least_of(row[j], before[j - 2] + 1);
        }
        int *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[b_length];
}

const char *vd_nearest_word(const char *word, const char *const *words, size_t count)
{
    size_t length = strlen(word);
    const char *nearest = NULL;
    int best = LONGEST;
    for (size_t i = 0; i < count && length <= LONGEST; i++) {
        size_t other = strlen(words[i]);
        if (other > LONGEST)
            continue;
        int changes = distance(word, length, words[i], other);
        int allowed = (int)((length > other ? length : other) + 2) / 3;
        if (changes <= allowed && changes < best) {
            best = changes;
            nearest = words[i];
        }
    }
    return nearest;
}
