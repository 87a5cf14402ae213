#include "detect/decode.h"

#include <math.h>
#include <stdlib.h>

#include "detect/decode_family.h"

enum { MOST_BOXES = 1 << 24 }; /* beyond, the shapes are nonsense */

/* --- Shapes */

size_t vd_output_count(const vd_model *model, int output)
{
    if (output < 0 || output >= model->output_count)
        return 0;
    const vd_model_output *shape = &model->outputs[output];
    size_t count = 1, batch = model->batch > 1 ? (size_t)model->batch : 1;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->extents[i] < 1 || count > ((size_t)1 << 40) / (size_t)shape->extents[i])
            return 0;
        count *= (size_t)shape->extents[i];
    }
    return shape->rank > 0 && count % batch == 0 ? count / batch : 0;
}

int vd_output_columns(const vd_model *model, int output)
{
    if (vd_output_count(model, output) == 0)
        return 0;
    return model->outputs[output].extents[model->outputs[output].rank - 1];
}

size_t vd_output_rows(const vd_model *model, int output)
{
    int columns = vd_output_columns(model, output);
    return columns > 0 ? vd_output_count(model, output) / (size_t)columns : 0;
}

int vd_output_of_columns(const vd_model *model, int columns)
{
    for (int i = 0; i < model->output_count; i++)
        if (vd_output_columns(model, i) == columns)
            return i;
    return -1;
}

size_t vd_level_cells(const vd_model_level *level)
{
    return level->width > 0 && level->height > 0 ? (size_t)level->width * (size_t)level->height : 0;
}

int vd_decode_levels(const vd_model *model, vd_model_level ret_levels[VD_MODEL_LEVELS])
{
    int count = model->level_count;
    for (int i = 0; i < count; i++)
        ret_levels[i] = model->levels[i];
    for (int stride = 8; model->level_count == 0 && stride <= 32; stride *= 2)
        ret_levels[count++] = (vd_model_level){
            .stride = stride, .width = model->input_width / stride, .height = model->input_height / stride};
    return count;
}

/* --- Boxes */

/* From pixels of the input to those of the picture; false when nothing of it is there. */
static bool place_box(const vd_decoder *decoder, vd_box *box)
{
    const vd_letterbox *letterbox = &decoder->letterbox;
    float scale_x = (float)(1 / letterbox->scale_x), scale_y = (float)(1 / letterbox->scale_y);
    float left = (float)letterbox->left, top = (float)letterbox->top;
    *box = (vd_box){.x1 = (box->x1 - left) * scale_x,
                    .y1 = (box->y1 - top) * scale_y,
                    .x2 = (box->x2 - left) * scale_x,
                    .y2 = (box->y2 - top) * scale_y};
    return vd_candidate_box_is_sane(box, decoder->width, decoder->height);
}

bool vd_decoder_add(vd_decoder *decoder, vd_box box, float score, int class_id)
{
    const float rounding = 0.001f; /* what a half-precision softmax may be above 1 */
    if (!(score >= decoder->floor) || !(score <= 1 + rounding) || decoder->count == decoder->room)
        return false;
    if (class_id < 0 || !place_box(decoder, &box))
        return false;
    decoder->found[decoder->count++] =
        (vd_detection){.box = box, .score = fminf(score, 1), .class_id = class_id};
    return true;
}

vd_box vd_box_around(float center_x, float center_y, float width, float height)
{
    return (vd_box){.x1 = center_x - width / 2,
                    .y1 = center_y - height / 2,
                    .x2 = center_x + width / 2,
                    .y2 = center_y + height / 2};
}

bool vd_decoder_add_turned(vd_decoder *decoder, const vd_turned *turned, float score, int class_id)
{
    float across = fabsf(cosf(turned->angle)), along = fabsf(sinf(turned->angle));
    vd_box box =
        vd_box_around(turned->center_x, turned->center_y, turned->width * across + turned->height * along,
                      turned->width * along + turned->height * across);
    if (!vd_decoder_add(decoder, box, score, class_id))
        return false;
    decoder->turned[decoder->count - 1] = *turned;
    return true;
}

/* The best of what was found. */
static size_t keep_best(vd_decoder *decoder, vd_detection *ret_candidates)
{
    vd_best *best = &decoder->best;
    best->count = 0;
    for (size_t i = 0; i < decoder->count; i++)
        vd_best_offer(best, decoder->found[i].score, (uint32_t)i);
    vd_best_sort(best);
    for (size_t n = 0; n < best->count; n++)
        ret_candidates[n] = decoder->found[vd_best_index(best, n)];
    return best->count;
}

/* --- The decoder */

static const vd_family *find_family(vd_model_family family)
{
    switch (family) {
    case VD_FAMILY_HEADS:
        return &vd_family_heads;
    case VD_FAMILY_YOLOV8:
        return &vd_family_yolov8;
    case VD_FAMILY_YOLOV5:
        return &vd_family_yolov5;
    case VD_FAMILY_YOLOV5_RAW:
        return &vd_family_yolov5_raw;
    case VD_FAMILY_YOLOX:
        return &vd_family_yolox;
    case VD_FAMILY_NANODET:
        return &vd_family_nanodet;
    case VD_FAMILY_FASTESTDET:
        return &vd_family_fastestdet;
    case VD_FAMILY_YUNET:
        return &vd_family_yunet;
    case VD_FAMILY_SSD:
        return &vd_family_ssd;
    case VD_FAMILY_DARKNET:
        return &vd_family_darknet;
    }
    return NULL;
}

/* Whether boxes come with an angle: a map of each level. */
static bool has_angles(const vd_model *model)
{
    return model->family == VD_FAMILY_HEADS && model->level_count > 0 && model->levels[0].angle >= 0;
}

static bool make_memory(vd_decoder *decoder)
{
    decoder->found = malloc(decoder->room * sizeof *decoder->found);
    decoder->scores = malloc(decoder->room * sizeof *decoder->scores);
    decoder->classes = malloc(decoder->room * sizeof *decoder->classes);
    if (decoder->turns)
        decoder->turned = malloc(decoder->room * sizeof *decoder->turned);
    return decoder->found && decoder->scores && decoder->classes && (decoder->turned || !decoder->turns);
}

int vd_decoder_new(const vd_model *model, vd_decoder **ret_decoder, vd_error *error)
{
    const vd_family *family = find_family(model->family);
    size_t room = family && model->classes > 0 ? family->measure(model) : 0;
    if (room == 0 || room > MOST_BOXES)
        return vd_error_set(error, VD_EFORMAT, model->name,
                            "The outputs of this network have not the shapes of %s.",
                            model->variant[0] ? model->variant : "its family");
    vd_decoder *decoder = calloc(1, sizeof *decoder);
    if (decoder)
        *decoder = (vd_decoder){.model = model, .family = family, .room = room, .turns = has_angles(model)};
    if (!decoder || !make_memory(decoder)) {
        vd_decoder_free(&decoder);
        return vd_error_set(error, VD_ENOMEM, model->name,
                            "There was not enough memory for the model's boxes.");
    }
    *ret_decoder = decoder;
    return VD_OK;
}

void vd_decoder_free(vd_decoder **pointer)
{
    vd_decoder *decoder = *pointer;
    *pointer = NULL;
    if (!decoder)
        return;
    free(decoder->found);
    free(decoder->scores);
    free(decoder->classes);
    free(decoder->turned);
    free(decoder);
}

bool vd_decoder_suppresses(const vd_decoder *decoder)
{
    return decoder->model->suppressed || decoder->turns;
}

size_t vd_decoder_read(vd_decoder *decoder, const float *const *data, int picture,
                       const vd_letterbox *letterbox, int width, int height, float floor,
                       vd_detection *ret_candidates)
{
    const vd_model *model = decoder->model;
    const float *here[VD_MODEL_OUTPUTS] = {0};
    for (int i = 0; i < model->output_count; i++)
        here[i] = data[i] + (size_t)picture * vd_output_count(model, i);
    decoder->picture = picture;
    decoder->letterbox = *letterbox;
    decoder->width = (float)width;
    decoder->height = (float)height;
    decoder->floor = floor;
    decoder->count = 0;
    decoder->family->read(decoder, here);
    size_t count = keep_best(decoder, ret_candidates);
    if (decoder->turns && !model->suppressed)
        count = vd_turned_suppress(decoder, ret_candidates, &decoder->best, count);
    return count;
}
