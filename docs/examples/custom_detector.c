/* A detector of one's own behind the same interface: bright blobs, found without a network.
 *
 *   custom_detector
 *
 * Workers, batches, futures, shutdown and statistics are the library's; the table of functions below is all
 * there is to write. Each worker has a state of its own, so nothing in it needs a lock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vedette/vedette.h>

enum { CELL = 8, MOST_CELLS = 480 * 270, PICTURES = 64, WIDTH = 320, HEIGHT = 240 };

struct config {
    int least_brightness; /* 0 to 255 */
};

/* One worker's: which cells are bright, and those still to be looked at. */
struct state {
    const struct config *config;
    int columns, rows;
    uint8_t bright[MOST_CELLS];
    int stack[MOST_CELLS];
};

static int open_worker(const void *config, void **ret_state, vd_labels **ret_labels, vd_error *error)
{
    static const char *const names[] = {"blob"};
    struct state *state = calloc(1, sizeof *state);
    if (!state || vd_labels_new(names, 1, ret_labels)) {
        free(state);
        return vd_error_set(error, VD_ENOMEM, NULL, "There was not enough memory for the blob finder.");
    }
    state->config = config;
    *ret_state = state;
    return VD_OK;
}

static void close_worker(void *state)
{
    free(state);
}

static void mark_bright(struct state *state, const vd_image *image)
{
    for (int i = 0; i < state->columns * state->rows; i++) {
        int sum = 0, left = i % state->columns * CELL, top = i / state->columns * CELL;
        for (int y = top; y < top + CELL; y++)
            for (int x = left; x < left + CELL; x++)
                sum += image->planes[0][(size_t)y * (size_t)image->strides[0] + (size_t)x];
        state->bright[i] = sum >= state->config->least_brightness * CELL * CELL;
    }
}

/* Takes the blob that `first` belongs to out of the cells: its box. */
static vd_box take_blob(struct state *state, int first)
{
    int count = 0, left = state->columns, top = state->rows, right = 0, bottom = 0;
    state->stack[count++] = first;
    state->bright[first] = 0;
    while (count > 0) {
        int cell = state->stack[--count], x = cell % state->columns, y = cell / state->columns;
        left = x < left ? x : left, right = x + 1 > right ? x + 1 : right;
        top = y < top ? y : top, bottom = y + 1 > bottom ? y + 1 : bottom;
        const int near[] = {x > 0 ? cell - 1 : cell, x + 1 < state->columns ? cell + 1 : cell,
                            y > 0 ? cell - state->columns : cell,
                            y + 1 < state->rows ? cell + state->columns : cell};
        for (int i = 0; i < 4; i++)
            if (state->bright[near[i]]) {
                state->bright[near[i]] = 0;
                state->stack[count++] = near[i];
            }
    }
    return (vd_box){(float)(left * CELL), (float)(top * CELL), (float)(right * CELL), (float)(bottom * CELL)};
}

static int detect(void *opaque, const vd_image *image, vd_result *result, vd_error *error)
{
    struct state *state = opaque;
    if (image->format != VD_PIXEL_GREY && image->format != VD_PIXEL_I420 && image->format != VD_PIXEL_NV12)
        return vd_error_set(error, VD_EUNSUPPORTED, NULL, "The blob finder reads grey and YUV pictures.");
    state->columns = image->width / CELL;
    state->rows = image->height / CELL;
    if (state->columns * state->rows > MOST_CELLS)
        return vd_error_set(error, VD_EUNSUPPORTED, NULL, "The picture is larger than 3840 × 2160.");
    mark_bright(state, image);
    for (int i = 0; i < state->columns * state->rows && result->count < VD_MAX_CANDIDATES; i++)
        if (state->bright[i])
            result->candidates[result->count++] = (vd_detection){.box = take_blob(state, i), .score = 0.9f};
    result->nms_done = 1; /* blobs do not overlap */
    return VD_OK;
}

static const vd_detector_ops blob_ops = {
    .open = open_worker, .detect = detect, .close = close_worker, .name = "blobs"};

/* Two bright squares in each picture, and what must be found. */
static void render(int index, uint8_t *pixels, vd_image *image, vd_box truth[2])
{
    int left[] = {CELL * (index % 16), CELL * 22}, top[] = {CELL * 4, CELL * (index % 20)};
    memset(pixels, 40, WIDTH * HEIGHT);
    for (int n = 0; n < 2; n++) {
        for (int y = top[n]; y < top[n] + 6 * CELL; y++)
            memset(pixels + y * WIDTH + left[n], 220, 6 * CELL);
        truth[n] =
            (vd_box){(float)left[n], (float)top[n], (float)left[n] + 6 * CELL, (float)top[n] + 6 * CELL};
    }
    *image = (vd_image){
        .format = VD_PIXEL_GREY, .width = WIDTH, .height = HEIGHT, .planes = {pixels}, .strides = {WIDTH}};
}

static int is_right(const vd_batch_item *item, const vd_box truth[2])
{
    int matched = 0;
    for (size_t i = 0; item->result && i < item->result->count; i++)
        for (int n = 0; n < 2; n++)
            matched += vd_box_iou(&item->result->candidates[i].box, &truth[n]) > 0.99f;
    return matched == 2 && item->result->count == 2;
}

int main(void)
{
    static uint8_t pixels[PICTURES][WIDTH * HEIGHT];
    static vd_box truth[PICTURES][2];
    vd_image images[PICTURES];
    struct config config = {.least_brightness = 150};
    vd_detector *detector = NULL;
    vd_batch *batch = NULL;
    vd_error error = {0};
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    options.ops = &blob_ops;
    options.config = &config;
    for (int i = 0; i < PICTURES; i++)
        render(i, pixels[i], &images[i], truth[i]);
    int code = vd_detector_new(&options, &detector, &error), right = 0;
    if (code == VD_OK)
        code = vd_detector_detect_batch(detector, images, PICTURES, 0, &batch, &error);
    for (int i = 0; code == VD_OK && i < PICTURES; i++)
        right += is_right(&batch->items[i], truth[i]);
    if (code)
        fprintf(stderr, "custom_detector: %s %s\n", vd_code_name(code), error.text);
    else
        printf("%s on %d workers: %d of %d pictures right\n", vd_detector_name(detector),
               vd_detector_get_stats(detector).workers, right, PICTURES);
    vd_batch_free(&batch);
    vd_detector_free(&detector);
    return right != PICTURES;
}
