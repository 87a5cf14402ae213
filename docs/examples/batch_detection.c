/* A batch of pictures, some of which cannot be used: each gets its result or its own reason.
 *
 *   batch_detection [MODEL.onnx [PICTURE…]]     without a model: builtin:people; without pictures: rendered
 * ones
 *
 * One picture more, whose rows are said to be too short, is added on purpose. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vedette/vedette.h>

enum { RENDERED = 12, WIDTH = 320, HEIGHT = 240, BATCH = 8 };

struct picture {
    const char *name;
    vd_frame *frame; /* of a file: keeps the decoded picture */
    uint8_t *pixels; /* of a rendered one */
    vd_image image;
};

/* A source that is a picture has one frame. The frame outlives its source. */
static int load(const char *path, struct picture *picture)
{
    vd_source *source = NULL;
    vd_error error = {0};
    int code = vd_source_open(path, NULL, NULL, &source, &error);
    if (code == VD_OK)
        code = vd_source_read(source, &picture->frame, &error);
    if (code == VD_OK)
        picture->image = *vd_frame_get_image(picture->frame);
    else /* an empty image takes its place in the batch, and fails there */
        fprintf(stderr, "%s: %s\n", path, error.text);
    picture->name = path;
    vd_source_close(&source);
    return code;
}

static int render(int index, struct picture *picture)
{
    picture->name = "rendered";
    picture->pixels = malloc((size_t)WIDTH * HEIGHT);
    if (!picture->pixels)
        return VD_ENOMEM;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            picture->pixels[y * WIDTH + x] = (uint8_t)((x / 16 + y / 16 + index) % 2 ? 200 : 60);
    picture->image = (vd_image){.format = VD_PIXEL_GREY,
                                .width = WIDTH,
                                .height = HEIGHT,
                                .planes = {picture->pixels},
                                .strides = {WIDTH}};
    return VD_OK;
}

static void print_item(const struct picture *picture, const vd_batch_item *item)
{
    vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    vd_detection found[VD_MAX_DETECTIONS];
    if (!item->result) {
        printf("%s: %s: %s\n", picture->name, vd_code_name(item->error.code), item->error.text);
        return;
    }
    size_t count = vd_result_select(item->result, &thresholds, found);
    printf("%s: %zu found\n", picture->name, count);
    for (size_t i = 0; i < count; i++)
        printf("  %-14s %.2f  %.0f %.0f %.0f %.0f\n", vd_labels_name(item->result->labels, found[i].class_id),
               (double)found[i].score, (double)found[i].box.x1, (double)found[i].box.y1,
               (double)found[i].box.x2, (double)found[i].box.y2);
}

/* The number of pictures without a result, or a negative code. */
static int detect(vd_detector *detector, const struct picture *pictures, size_t count, vd_error *error)
{
    vd_batch *batch = NULL;
    vd_image *images = calloc(count, sizeof *images);
    if (!images)
        return VD_ENOMEM;
    for (size_t i = 0; i < count; i++)
        images[i] = pictures[i].image; /* a view: the pixels stay where they are */
    int code = vd_detector_detect_batch(detector, images, count, BATCH, &batch, error);
    free(images);
    if (code)
        return code;
    for (size_t i = 0; i < batch->total; i++)
        print_item(&pictures[i], &batch->items[i]);
    printf("%zu of %zu succeeded\n", batch->successful, batch->total);
    int failed = (int)(batch->total - batch->successful);
    vd_batch_free(&batch);
    return failed;
}

int main(int argc, char **argv)
{
    size_t count = argc > 2 ? (size_t)argc - 2 : RENDERED, bad = count++;
    struct picture *pictures = calloc(count, sizeof *pictures);
    vd_detector *detector = NULL;
    vd_error error = {0};
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    options.model = argc > 1 ? argv[1] : "builtin:people";
    int code = pictures ? vd_detector_new(&options, &detector, &error) : VD_ENOMEM, expected = 1;
    for (size_t i = 0; code == VD_OK && i < bad; i++) {
        if (argc > 2)
            expected += load(argv[2 + i], &pictures[i]) != VD_OK;
        else
            code = render((int)i, &pictures[i]);
    }
    if (code == VD_OK) {
        pictures[bad] = (struct picture){.name = "wrong on purpose", .image = pictures[0].image};
        pictures[bad].image.strides[0] = 1;
        code = detect(detector, pictures, count, &error);
    }
    if (code < 0)
        fprintf(stderr, "batch_detection: %s %s\n", vd_code_name(code), error.text);
    for (size_t i = 0; pictures && i < count; i++) {
        vd_frame_unref(&pictures[i].frame);
        free(pictures[i].pixels);
    }
    free(pictures);
    vd_detector_free(&detector);
    return code != expected;
}
