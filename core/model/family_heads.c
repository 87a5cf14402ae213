/* Ultralytics' anchor-free heads, cut at their last convolutions. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/family.h"
#include "model/onnx_file.h"
#include "model/onnx_heads.h"

/* The word that starts with YOLO in what the file says of itself: "Ultralytics YOLO11n model trained on …".
 * For people alone: nothing is decided by it. */
static void say_architecture(const vd_onnx_graph *graph, char *out, size_t size)
{
    const char *text = vd_onnx_metadata(graph->model, "description");
    const char *word = text ? strstr(text, "YOLO") : NULL;
    size_t length = word ? strcspn(word, " \t\r\n,;") : 0;
    vd_text_clean(out, size, word ? word : "", length);
}

static void set_variant(const vd_onnx_graph *graph, const vd_heads *heads, vd_model *model)
{
    char word[32], text[96];
    say_architecture(graph, word, sizeof word);
    const char *kind = heads->levels[0].angle ? ", oriented boxes" : "";
    const char *task = vd_onnx_metadata(graph->model, "task");
    if (heads->other_rows > 0 && task && strcmp(task, "segment") == 0)
        kind = ", segmentation";
    else if (heads->other_rows > 0 && task && strcmp(task, "pose") == 0)
        kind = ", pose";
    snprintf(text, sizeof text, "%s%sanchor-free heads of Ultralytics%s%s", word, *word ? ", " : "", kind,
             heads->picks ? ", end to end" : "");
    vd_family_set(model, VD_FAMILY_HEADS, VD_FEED_SHARES, text);
}

static void note_heads(const vd_heads *heads, vd_model *model)
{
    char list[48] = "";
    for (int i = 0; i < heads->level_count; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%d", i > 0 ? ", " : "",
                 heads->levels[i].stride);
    vd_model_note(model, "%d boxes are the cells of grids with strides %s", heads->cells, list);
    vd_model_note(model, "class scores are the sigmoid of one channel each, %d class%s", heads->classes,
                  heads->classes > 1 ? "es" : "");
    if (heads->bins > 1)
        vd_model_note(model, "boxes are distances to four sides, each the mean of %d bins", heads->bins);
    else
        vd_model_note(model, "boxes are plain distances to four sides");
    vd_model_note(model, "cut at the last convolutions: boxes are decoded here");
    if (heads->picks)
        vd_model_note(model, "end to end: one box an object, nothing is suppressed");
    if (heads->suppresses)
        vd_model_note(model, "suppression inside the network is left out; it is done here");
    if (heads->levels[0].angle)
        vd_model_note(model, "oriented boxes: the upright boxes that enclose them are used");
    if (heads->other_rows > 0)
        vd_model_note(model, "%d more values a box (masks, key points) are not used, only the boxes",
                      heads->other_rows);
}

static int cut(vd_onnx_graph *graph, const vd_heads *heads, vd_model *model, vd_error *error)
{
    const vd_value *outputs[3 * VD_MODEL_LEVELS];
    int count = 0;
    for (int i = 0; i < heads->level_count; i++) {
        const vd_head *head = &heads->levels[i];
        vd_model_level *level = &model->levels[i];
        *level = (vd_model_level){
            .stride = head->stride, .width = head->width, .height = head->height, .object = -1, .angle = -1};
        level->box = count;
        outputs[count++] = head->box;
        level->scores = count;
        outputs[count++] = head->scores;
        if (head->angle) {
            level->angle = count;
            outputs[count++] = head->angle;
        }
    }
    model->level_count = heads->level_count;
    if (count > VD_MODEL_OUTPUTS)
        return vd_error_set(error, VD_EFORMAT, graph->place,
                            "The network's heads have %d outputs; %d is the most.", count, VD_MODEL_OUTPUTS);
    return vd_onnx_cut(graph, outputs, count, error);
}

int vd_family_cut_heads(vd_onnx_graph *graph, vd_model *model, vd_error *error)
{
    vd_heads heads;
    if (!vd_onnx_find_heads(graph, model->input_width, model->input_height, &heads))
        return VD_OK;
    set_variant(graph, &heads, model);
    model->classes = heads.classes;
    model->bins = heads.bins;
    model->anchors = heads.cells;
    model->suppressed = heads.picks;
    note_heads(&heads, model);
    return cut(graph, &heads, model, error);
}
