#include "vedette/app/model_info.h"

#include <string.h>

#include "base/text.h"
#include "model/model.h"

static void describe(const vd_model *model, vd_model_info *info)
{
    memset(info, 0, sizeof *info);
    vd_text_copy(info->name, sizeof info->name, model->name);
    vd_text_copy(info->digest, sizeof info->digest, model->digest);
    vd_text_copy(info->family, sizeof info->family, model->variant);
    vd_text_copy(info->preprocessing, sizeof info->preprocessing,
                 "letterboxed on grey 114, RGB, value / 255");
    vd_text_copy(info->input_name, sizeof info->input_name, model->input_name);
    vd_text_copy(info->output_name, sizeof info->output_name, model->outputs[0].name);
    info->input_width = model->input_width;
    info->input_height = model->input_height;
    info->output_rank = model->outputs[0].rank;
    memcpy(info->output_extents, model->outputs[0].extents, sizeof info->output_extents);
    info->classes = model->classes;
    info->has_names = model->has_names;
    info->labels = vd_labels_ref(model->labels);
    for (int i = 0; i < model->note_count && i < VD_MODEL_INFO_NOTES; i++)
        vd_text_copy(info->notes[info->note_count++], sizeof info->notes[0], model->notes[i]);
}

int vd_model_describe(const char *path, const char *labels, vd_model_info *ret_info, vd_error *error)
{
    vd_model *model = NULL;
    const vd_model_options options = {.labels = labels};
    int code = vd_model_read(path, &options, &model, error);
    if (code != VD_OK)
        return code;
    describe(model, ret_info);
    vd_model_free(&model);
    return VD_OK;
}

void vd_model_info_clear(vd_model_info *info)
{
    vd_labels_unref(&info->labels);
}
