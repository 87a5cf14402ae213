#include "model/onnx_heads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/names.h"
#include "model/onnx_trace.h"

enum { BOX = 4, SAMPLES = 12, MOST_BINS = 64 };

typedef struct search {
    vd_trace trace;
    const vd_value *join;
    int rows, cells;  /* of the join */
    bool cells_first; /* [n, cells, rows] */
    int input_width, input_height;
    vd_heads *heads;
} search;

/* A cell of the level in which the join's cell `first` is the top left one. */
typedef struct place {
    int first, cell, width;
} place;

static bool element(search *s, int row, int cell, double *ret_number)
{
    int64_t index[VD_ONNX_RANK] = {0};
    index[1] = s->cells_first ? cell : row;
    index[2] = s->cells_first ? row : cell;
    return vd_trace_element(&s->trace, s->join, index, ret_number);
}

/* The row is a function of one element of a map. */
static bool single(search *s, int row, int cell, double *ret_number, vd_leaf *ret_leaf)
{
    if (!element(s, row, cell, ret_number) || s->trace.leaf_count != 1)
        return false;
    *ret_leaf = s->trace.leaves[0];
    return true;
}

static double made_up(const vd_leaf *leaf)
{
    return vd_trace_made_up(leaf->map, leaf->channel, leaf->y, leaf->x);
}

static bool is_score(search *s, int row, int cell, vd_leaf *ret_leaf)
{
    double number;
    return single(s, row, cell, &number, ret_leaf) &&
           vd_trace_is(number, vd_trace_sigmoid(made_up(ret_leaf)));
}

static bool lies_at(const vd_leaf *leaf, const vd_value *map, int64_t channel, const place *at)
{
    return leaf->map == map && leaf->channel == channel && leaf->y == at->cell / at->width &&
           leaf->x == at->cell % at->width;
}

/* The k-th of SAMPLES cells to look at: the corners, and some in between (Knuth's multiplicative hash). */
static int sample(int k, int cells)
{
    return k == 0 ? 0 : k == 1 ? cells - 1 : (int)((uint32_t)k * 2654435761u % (uint32_t)cells);
}

/* --- The decoder's formula on made-up values */

/* Distances from a cell's centre to the left, top, right and bottom side, in cells. */
static void read_sides(const vd_value *map, int bins, const place *at, double ret_sides[4])
{
    int64_t y = at->cell / at->width, x = at->cell % at->width;
    for (int side = 0; side < 4; side++) {
        double sum = 0, mean = 0;
        for (int bin = 0; bin < bins; bin++) {
            double weight = exp(vd_trace_made_up(map, side * bins + bin, y, x));
            sum += weight;
            mean += weight * bin;
        }
        ret_sides[side] = bins > 1 ? mean / sum : vd_trace_made_up(map, side, y, x);
    }
}

/* Plain distances come with plain angles (YOLO26), bins with a sigmoid of -45 to 135 degrees. */
static double angle_of(const vd_value *map, bool is_plain, const place *at)
{
    double value = vd_trace_made_up(map, 0, at->cell / at->width, at->cell % at->width);
    return is_plain ? value : (vd_trace_sigmoid(value) - 0.25) * M_PI;
}

static bool are(const double *found, double a, double b, double c, double d)
{
    return vd_trace_is(found[0], a) && vd_trace_is(found[1], b) && vd_trace_is(found[2], c) &&
           vd_trace_is(found[3], d);
}

/* Centre and size, or two corners, in pixels; about a rotated centre where there is an angle. */
static bool is_box(const double found[4], const vd_head *head, int bins, const place *at)
{
    double d[4], scale = head->stride;
    double x = at->cell % at->width + 0.5, y = (double)(at->cell / at->width) + 0.5;
    read_sides(head->box, bins, at, d);
    double width = d[0] + d[2], height = d[1] + d[3], right = (d[2] - d[0]) / 2, down = (d[3] - d[1]) / 2;
    if (head->angle) {
        double angle = angle_of(head->angle, bins == 1, at);
        return are(found, (x + right * cos(angle) - down * sin(angle)) * scale,
                   (y + right * sin(angle) + down * cos(angle)) * scale, width * scale, height * scale);
    }
    return are(found, (x + right) * scale, (y + down) * scale, width * scale, height * scale) ||
           are(found, (x - d[0]) * scale, (y - d[1]) * scale, (x + d[2]) * scale, (y + d[3]) * scale);
}

/* --- One level */

static bool has_grid(const vd_value *map, const vd_head *head)
{
    return map->shape.rank == 4 && map->shape.dims[2] == head->height && map->shape.dims[3] == head->width;
}

/* The map that box values come from, other than the angle's. */
static const vd_value *box_map(const search *s, const vd_head *head)
{
    for (int i = 0; i < s->trace.leaf_count; i++)
        if (s->trace.leaves[i].map != head->angle)
            return s->trace.leaves[i].map;
    return NULL;
}

static bool is_angle(search *s, const vd_head *head, const place *at)
{
    double number;
    return !head->angle || (element(s, BOX + s->heads->classes, at->first + at->cell, &number) &&
                            vd_trace_is(number, angle_of(head->angle, s->heads->bins == 1, at)));
}

static bool find_boxes(search *s, const place *level, vd_head *head)
{
    for (int k = 0; k < SAMPLES; k++) {
        place at = *level;
        double found[BOX];
        at.cell = sample(k, head->width * head->height);
        for (int row = 0; row < BOX; row++)
            if (!element(s, row, at.first + at.cell, &found[row]))
                return false;
        if (!head->box) {
            head->box = box_map(s, head);
            int64_t channels = head->box && has_grid(head->box, head) ? head->box->shape.dims[1] : 0;
            if (head->box == head->scores || channels < BOX || channels % BOX != 0 ||
                channels > BOX * MOST_BINS || (s->heads->bins > 0 && channels != BOX * s->heads->bins))
                return false;
            s->heads->bins = (int)channels / BOX;
        }
        if (!is_box(found, head, s->heads->bins, &at) || !is_angle(s, head, &at))
            return false;
    }
    return true;
}

/* The row behind the class scores, when it is the only one and turns a box. */
static void find_angle(search *s, const place *level, vd_head *head)
{
    int row = BOX + s->heads->classes;
    double number;
    vd_leaf leaf;
    if (s->rows != row + 1 || !single(s, row, level->first, &number, &leaf) || leaf.map->shape.dims[1] != 1 ||
        !has_grid(leaf.map, head))
        return;
    if (!vd_trace_is(number, angle_of(leaf.map, false, level)) &&
        !vd_trace_is(number, angle_of(leaf.map, true, level)))
        return;
    head->angle = leaf.map;
}

static bool find_scores(search *s, const place *level, vd_head *head)
{
    place at = *level;
    vd_leaf leaf;
    for (int k = 0; k < SAMPLES; k++) {
        at.cell = sample(k, head->width * head->height);
        if (!is_score(s, BOX, at.first + at.cell, &leaf) || !lies_at(&leaf, head->scores, 0, &at))
            return false;
    }
    for (int class = 0; class < s->heads->classes; class ++)
        if (!is_score(s, BOX + class, at.first + at.cell, &leaf) || !lies_at(&leaf, head->scores, class, &at))
            return false;
    return true;
}

static bool find_level(search *s, int first, vd_head *head)
{
    vd_leaf leaf;
    if (!is_score(s, BOX, first, &leaf) || leaf.channel != 0 || leaf.x != 0 || leaf.y != 0)
        return false;
    const int64_t *dims = leaf.map->shape.dims;
    int classes = (int)dims[1], cells = s->cells - first;
    if (dims[2] > cells || dims[3] > cells || dims[2] * dims[3] > cells || dims[1] > VD_MAX_CLASSES ||
        dims[1] + BOX > s->rows || (first > 0 && classes != s->heads->classes))
        return false;
    *head = (vd_head){.scores = leaf.map, .height = (int)dims[2], .width = (int)dims[3]};
    head->stride = s->input_width / head->width;
    if (head->stride * head->width != s->input_width || head->stride * head->height != s->input_height)
        return false;
    place level = {.first = first, .width = head->width};
    s->heads->classes = classes;
    if (!find_scores(s, &level, head))
        return false;
    find_angle(s, &level, head);
    return find_boxes(s, &level, head);
}

/* --- The whole */

static void sort_levels(vd_heads *heads)
{
    for (int i = 1; i < heads->level_count; i++)
        for (int k = i; k > 0 && heads->levels[k].stride < heads->levels[k - 1].stride; k--) {
            vd_head kept = heads->levels[k];
            heads->levels[k] = heads->levels[k - 1];
            heads->levels[k - 1] = kept;
        }
}

static bool try_join(search *s, const vd_value *join, bool cells_first)
{
    vd_heads *heads = s->heads;
    *heads = (vd_heads){0};
    s->join = join;
    s->cells_first = cells_first;
    s->rows = (int)join->shape.dims[cells_first ? 2 : 1];
    s->cells = (int)join->shape.dims[cells_first ? 1 : 2];
    if (s->rows <= BOX)
        return false;
    while (heads->cells < s->cells) {
        if (heads->level_count == VD_MODEL_LEVELS ||
            !find_level(s, heads->cells, &heads->levels[heads->level_count]))
            return false;
        const vd_head *head = &heads->levels[heads->level_count++];
        heads->cells += head->width * head->height;
        if ((head->angle != NULL) != (heads->levels[0].angle != NULL))
            return false;
    }
    heads->other_rows = s->rows - BOX - heads->classes - (heads->levels[0].angle ? 1 : 0);
    sort_levels(heads);
    return true;
}

/* Which nodes the outputs need. */
static bool *mark_needed(const vd_onnx_graph *graph)
{
    const Onnx__GraphProto *proto = graph->proto;
    bool *values = calloc(graph->value_count + 1, sizeof *values);
    bool *nodes = calloc(proto->n_node + 1, sizeof *nodes);
    for (size_t i = 0; values && nodes && i < proto->n_output; i++)
        values[vd_onnx_find(graph, proto->output[i]->name) - graph->values] = true;
    for (size_t i = proto->n_node; values && nodes && i-- > 0;) {
        const Onnx__NodeProto *node = proto->node[i];
        for (size_t k = 0; k < node->n_output; k++) {
            const vd_value *out = vd_onnx_output(graph, node, k);
            nodes[i] = nodes[i] || (out && values[out - graph->values]);
        }
        for (size_t k = 0; nodes[i] && k < node->n_input; k++) {
            const vd_value *in = vd_onnx_input(graph, node, k);
            if (in)
                values[in - graph->values] = true;
        }
    }
    free(values);
    return nodes;
}

static bool try_node(search *s, const Onnx__NodeProto *node)
{
    const vd_value *value = vd_onnx_output(s->trace.graph, node, 0);
    size_t count;
    if (!value || value->constant || value->shape.rank != 3 || !vd_onnx_is(node, "Concat") ||
        !vd_shape_count(&value->shape, VD_ONNX_MAX_ELEMENTS, &count) || count == 0)
        return false;
    return try_join(s, value, false) || try_join(s, value, true);
}

bool vd_onnx_find_heads(const vd_onnx_graph *graph, int input_width, int input_height, vd_heads *ret_heads)
{
    vd_heads heads = {0};
    search *s = calloc(1, sizeof *s);
    bool *needed = mark_needed(graph), found = false, topk = false, suppression = false;
    for (size_t i = graph->proto->n_node; s && needed && !found && i-- > 0;) {
        const Onnx__NodeProto *node = graph->proto->node[i];
        s->trace.graph = graph;
        s->input_width = input_width;
        s->input_height = input_height;
        s->heads = &heads;
        if (!needed[i])
            continue;
        topk = topk || vd_onnx_is(node, "TopK");
        suppression =
            suppression ||
            (node->op_type && (strstr(node->op_type, "NonMaxSuppression") || strstr(node->op_type, "NMS")));
        found = try_node(s, node);
    }
    free(s);
    free(needed);
    if (!found)
        return false;
    heads.picks = topk && !suppression;
    heads.suppresses = suppression;
    *ret_heads = heads;
    return true;
}
