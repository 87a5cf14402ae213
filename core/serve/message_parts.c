#include "serve/message_parts.h"

void vd_message_add_box(vd_json_text *text, const vd_box *box)
{
    const float sides[] = {box->x1, box->y1, box->x2, box->y2};
    for (int i = 0; i < 4; i++) {
        vd_json_add(text, i ? "," : "[");
        vd_json_add_number(text, (double)sides[i], 2);
    }
    vd_json_add(text, "]");
}

void vd_message_add_detections(vd_json_text *text, const vd_detection *detections, size_t count,
                               const vd_labels *labels)
{
    vd_json_add(text, "\"detections\":[");
    for (size_t i = 0; i < count; i++) {
        const vd_detection *detection = &detections[i];
        vd_json_add(text, i ? ",{\"bbox\":" : "{\"bbox\":");
        vd_message_add_box(text, &detection->box);
        vd_json_add(text, ",\"confidence\":");
        vd_json_add_number(text, (double)detection->score, 5);
        vd_json_add_format(text, ",\"class_id\":%d,\"class_name\":", detection->class_id);
        vd_json_add_string(text, vd_labels_name(labels, detection->class_id));
        if (detection->track_id > 0)
            vd_json_add_format(text, ",\"track_id\":%d", detection->track_id);
        vd_json_add(text, "}");
    }
    vd_json_add(text, "]");
}

void vd_message_add_sizes(vd_json_text *text, int width, int height, const char *model, int input_width,
                          int input_height)
{
    vd_json_add_format(text, ",\"width\":%d,\"height\":%d,\"model\":", width, height);
    vd_json_add_string(text, model);
    if (input_width > 0)
        vd_json_add_format(text, ",\"input\":[%d,%d]", input_width, input_height);
}

void vd_message_add_number(vd_json_text *text, const char *before, double value, int decimals)
{
    vd_json_add(text, before);
    vd_json_add_number(text, value, decimals);
}
