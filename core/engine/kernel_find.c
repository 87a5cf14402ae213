/* The candidates of a convolution: what oneDNN has for it, with and without its own activation. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kernel_conv.h"

/* What is being looked for, while oneDNN lists what it has. */
typedef struct candidate_search {
    vd_conv *conv;
    const vd_dnnl_conv *described;
    const char *wanted;  /* a candidate's text: that one alone; NULL: all */
    dnnl_memory_t plain; /* the weights, planar float32 */
    vd_conv_feed feed;
    vd_kernel_type made_type;
    int first;       /* candidate of this description */
    bool has_single; /* and there was one for kernels of a single pixel */
    bool takes_slow;
    dnnl_status_t status;
} candidate_search;

static vd_dnnl_tensor tensor4(int channels, int height, int width, vd_kernel_type type, dnnl_format_tag_t tag)
{
    return (vd_dnnl_tensor){.rank = 4,
                            .extents = {1, channels, height, width},
                            .type = type == VD_KERNEL_BF16 ? dnnl_bf16 : dnnl_f32,
                            .tag = tag};
}

static vd_dnnl_tensor weights_tensor(const vd_conv *conv, int in_full, dnnl_data_type_t type, bool any)
{
    const vd_conv_shape *shape = &conv->shape;
    int groups = conv->groups, out_each = conv->out_full / groups, in_each = in_full / groups;
    vd_dnnl_tensor tensor = {.rank = groups > 1 ? 5 : 4, .type = type};
    tensor.tag = any ? dnnl_format_tag_any : groups > 1 ? dnnl_goihw : dnnl_oihw;
    const dnnl_dims_t grouped = {groups, out_each, in_each, shape->kernel[0], shape->kernel[1]};
    memcpy(tensor.extents, grouped + (groups > 1 ? 0 : 1), sizeof grouped[0] * (size_t)tensor.rank);
    return tensor;
}

/* Implementations that never pay: plain loops, and a matrix product over a copy of the picture. Names such as
 * "brgemm" are not meant. */
static bool is_slow(const char *name)
{
    const char *product = strstr(name, "gemm");
    return strstr(name, "ref") || (product && (product == name || product[-1] == ':' || product[-1] == '_'));
}

static bool is_known(const candidate_search *search, const char *name)
{
    for (int i = search->first; i < search->conv->count; i++)
        if (!strncmp(search->conv->candidates[i].text, name, strlen(name)))
            return true;
    return false;
}

/* What other candidates have beaten on every shape of every network: Winograd by larger tiles, whose weights
 * are many, by that of kernel_wino.c; and the general loops where there are some for single pixels. */
static bool is_beaten(const candidate_search *search, const char *name)
{
    const vd_conv *conv = search->conv;
    if (strstr(name, "wino_4x3"))
        return true;
    bool single = conv->shape.kernel[0] == 1 && conv->shape.kernel[1] == 1;
    return single && !strncmp(name, "jit:", 4) && search->has_single;
}

static dnnl_status_t reorder(vd_conv *conv, dnnl_memory_t from, dnnl_memory_t to)
{
    dnnl_primitive_desc_t description;
    dnnl_primitive_t primitive;
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(
        &description, vd_dnnl_memory_md(from), conv->engine, vd_dnnl_memory_md(to), conv->engine, NULL);
    if (status != dnnl_success)
        return status;
    status = dnnl_primitive_create(&primitive, description);
    dnnl_primitive_desc_destroy(description);
    if (status != dnnl_success)
        return status;
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    status = dnnl_primitive_execute(primitive, conv->stream, 2, args);
    if (status == dnnl_success)
        status = dnnl_stream_wait(conv->stream);
    dnnl_primitive_destroy(primitive);
    return status;
}

/* The weights in the layout that the implementation wants, new or those of another candidate. */
static dnnl_status_t take_weights(candidate_search *search, dnnl_primitive_desc_t found,
                                  vd_conv_weights **ret_weights)
{
    vd_conv *conv = search->conv;
    vd_dnnl_md md = dnnl_primitive_desc_query_md(found, dnnl_query_weights_md, 0);
    vd_conv_weights *room = NULL;
    for (int i = 0; i < VD_CONV_CANDIDATES; i++) {
        vd_conv_weights *weights = &conv->weights[i];
        if (!weights->users && !room)
            room = weights;
        if (weights->users && dnnl_memory_desc_equal(vd_dnnl_memory_md(weights->memory), md)) {
            *ret_weights = weights;
            return dnnl_success;
        }
    }
    if (!room) /* a candidate has one layout at most, so there is always room */
        return dnnl_runtime_error;
    dnnl_status_t status = dnnl_memory_create(&room->memory, md, conv->engine, DNNL_MEMORY_ALLOCATE);
    if (status != dnnl_success)
        return status;
    status = reorder(conv, search->plain, room->memory);
    if (status != dnnl_success) {
        dnnl_memory_destroy(room->memory);
        return status;
    }
    *ret_weights = room;
    return dnnl_success;
}

static dnnl_status_t make_memories(const candidate_search *search, dnnl_primitive_desc_t found,
                                   vd_candidate *candidate)
{
    static const struct {
        dnnl_query_t what;
        size_t place;
    } wanted[] = {{dnnl_query_src_md, offsetof(vd_candidate, in)},
                  {dnnl_query_dst_md, offsetof(vd_candidate, out)},
                  {dnnl_query_dst_md, offsetof(vd_candidate, addend)},
                  {dnnl_query_scratchpad_md, offsetof(vd_candidate, scratch)}};
    dnnl_status_t status = dnnl_success;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted && status == dnnl_success; i++) {
        dnnl_memory_t *memory = (dnnl_memory_t *)((char *)candidate + wanted[i].place);
        status = dnnl_memory_create(memory, dnnl_primitive_desc_query_md(found, wanted[i].what, 0),
                                    search->conv->engine, DNNL_MEMORY_NONE);
    }
    return status;
}

static size_t whole_lines(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

static void measure(const candidate_search *search, dnnl_primitive_desc_t found, vd_candidate *candidate)
{
    const vd_conv *conv = search->conv;
    vd_dnnl_md scratch = dnnl_primitive_desc_query_md(found, dnnl_query_scratchpad_md, 0);
    candidate->own_bytes = whole_lines(dnnl_memory_desc_get_size(scratch));
    if (search->feed != VD_FEED_AS_IS)
        candidate->feed_bytes =
            whole_lines(dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(found, dnnl_query_src_md, 0)));
    if (conv->shape.add || search->made_type != conv->out_type)
        candidate->made_bytes = whole_lines(vd_conv_out_count(conv) * vd_type_bytes(search->made_type));
}

static void describe(const candidate_search *search, const char *name, vd_candidate *candidate)
{
    static const char *const feeds[] = {"", "narrow + ", "block + "};
    const vd_conv_shape *shape = &search->conv->shape;
    bool act = shape->act != VD_ACT_NONE && !candidate->does_act, add = shape->add && !candidate->does_add;
    const char *after = act && shape->act == VD_ACT_SILU ? " + silu pass"
                        : act                            ? " + activation pass"
                        : add                            ? " + addition pass"
                                                         : "";
    /* The name first, by which is_known finds it. */
    snprintf(candidate->text, sizeof candidate->text, "%.40s%s%s%s", name, after,
             search->feed == VD_FEED_AS_IS ? "" : " after ", feeds[search->feed]);
    if (search->feed != VD_FEED_AS_IS)
        candidate->text[strlen(candidate->text) - 3] = '\0';
}

/* Builds what was described. */
static dnnl_status_t add_candidate(candidate_search *search, dnnl_primitive_desc_t found)
{
    vd_conv *conv = search->conv;
    vd_candidate *candidate = &conv->candidates[conv->count];
    dnnl_status_t status = dnnl_primitive_create(&candidate->primitive, found);
    if (status == dnnl_success)
        status = make_memories(search, found, candidate);
    if (status == dnnl_success)
        status = take_weights(search, found, &candidate->weights);
    if (status == dnnl_success)
        candidate->weights->users++;
    else
        candidate->weights = NULL;
    measure(search, found, candidate);
    if (status == dnnl_success)
        conv->count++;
    else
        vd_candidate_fini(candidate);
    return status;
}

static bool is_complete(const candidate_search *search)
{
    return search->wanted ? search->conv->count > 0 : search->conv->count == VD_CONV_CANDIDATES;
}

static bool take(dnnl_primitive_desc_t found, void *context)
{
    candidate_search *search = context;
    vd_conv *conv = search->conv;
    const char *name = NULL;
    dnnl_primitive_desc_query(found, dnnl_query_impl_info_str, 0, (void *)&name);
    if (!name || is_slow(name) != search->takes_slow || is_known(search, name) || is_beaten(search, name))
        return true;
    search->has_single = search->has_single || strstr(name, "1x1");
    if (search->described->winograd && !strstr(name, "wino"))
        return true;
    vd_candidate candidate = {.feed = search->feed, .made_type = search->made_type};
    candidate.does_act = search->described->act == conv->shape.act;
    candidate.does_add = search->described->add;
    candidate.addend_arg = vd_dnnl_addend_arg(search->described);
    describe(search, name, &candidate);
    if (search->wanted && strcmp(candidate.text, search->wanted) != 0)
        return true;
    conv->candidates[conv->count] = candidate;
    dnnl_status_t status = add_candidate(search, found);
    if (status == dnnl_out_of_memory)
        search->status = status; /* anything else concerns this one alone: the next may do */
    return search->status == dnnl_success && !is_complete(search);
}

static vd_dnnl_conv describe_conv(const vd_conv *conv, vd_conv_feed feed, vd_kernel_type in_type,
                                  vd_kernel_type made_type)
{
    const vd_conv_shape *shape = &conv->shape;
    dnnl_format_tag_t blocked = conv->block == 16 ? dnnl_nChw16c : dnnl_nChw8c;
    bool planar = shape->planar_in && feed != VD_FEED_BLOCKED;
    int in_full = planar ? shape->in : conv->in_full;
    vd_dnnl_conv described = {
        .in = tensor4(in_full, shape->in_height, shape->in_width, in_type, planar ? dnnl_nchw : blocked),
        .weights = weights_tensor(conv, in_full, in_type == VD_KERNEL_BF16 ? dnnl_bf16 : dnnl_f32, true),
        .bias = {.rank = 1, .extents = {conv->out_full}, .type = dnnl_f32, .tag = dnnl_x},
        .out = tensor4(conv->out_full, shape->out_height, shape->out_width, made_type, blocked),
        .strides = {shape->stride[0], shape->stride[1]},
        .dilations = {shape->dilation[0] - 1, shape->dilation[1] - 1},
        .pads_begin = {shape->pads[0], shape->pads[1]},
        .pads_end = {shape->pads[2], shape->pads[3]}};
    return described;
}

static bool can_winograd(const vd_conv *conv, vd_kernel_type in_type)
{
    const vd_conv_shape *shape = &conv->shape;
    return in_type == VD_KERNEL_F32 && !shape->planar_in && conv->groups == 1 && conv->block == 16 &&
           shape->kernel[0] == 3 && shape->kernel[1] == 3 && shape->stride[0] == 1 && shape->stride[1] == 1 &&
           shape->dilation[0] == 1 && shape->dilation[1] == 1;
}

/* All with this feed and these types: with everything done by the primitive, then with a pass for the rest.
 */
static dnnl_status_t find_with(candidate_search *search, vd_kernel_type in_type)
{
    vd_conv *conv = search->conv;
    vd_dnnl_conv described = describe_conv(conv, search->feed, in_type, search->made_type);
    bool fused = vd_dnnl_can_act(conv->shape.act) && search->made_type == conv->out_type;
    bool more = conv->shape.act != VD_ACT_NONE || conv->shape.add;
    search->described = &described;
    for (int winograd = 0; winograd <= can_winograd(conv, in_type); winograd++)
        for (int alone = fused && more ? 0 : 1; alone < 2 && search->status == dnnl_success; alone++) {
            if (is_complete(search))
                break;
            described.winograd = winograd;
            described.act = alone ? VD_ACT_NONE : conv->shape.act;
            described.add = !alone && conv->shape.add;
            memcpy(described.args, conv->shape.act_args, sizeof described.args);
            search->first = conv->count;
            search->has_single = false;
            if (vd_dnnl_conv_each(&described, conv->engine, take, search) == dnnl_out_of_memory)
                search->status = dnnl_out_of_memory;
        }
    search->described = NULL;
    return search->status;
}

/* search  conv, feed, made_type, wanted and takes_slow are set. Nothing to do where it is complete already.
 */
static dnnl_status_t find_fed(candidate_search search, const float *weights, vd_kernel_type in_type)
{
    vd_conv *conv = search.conv;
    if (is_complete(&search))
        return dnnl_success;
    bool planar = conv->shape.planar_in && search.feed != VD_FEED_BLOCKED;
    int in_full = planar ? conv->shape.in : conv->in_full;
    float *full = vd_conv_full_weights(conv, in_full, weights);
    if (!full)
        return dnnl_out_of_memory;
    vd_dnnl_tensor plain = weights_tensor(conv, in_full, dnnl_f32, false);
    dnnl_status_t status = vd_dnnl_memory_new(&plain, conv->engine, full, &search.plain);
    if (status == dnnl_success) {
        status = find_with(&search, in_type);
        dnnl_memory_destroy(search.plain);
    }
    free(full);
    return status;
}

static dnnl_status_t make_bias(vd_conv *conv, const float *bias)
{
    vd_dnnl_tensor tensor = {.rank = 1, .extents = {conv->out_full}, .type = dnnl_f32, .tag = dnnl_x};
    dnnl_status_t status = vd_dnnl_memory_new(&tensor, conv->engine, DNNL_MEMORY_ALLOCATE, &conv->bias);
    void *room = NULL;
    if (status == dnnl_success)
        status = dnnl_memory_get_data_handle(conv->bias, &room);
    if (status != dnnl_success)
        return status;
    memset(room, 0, (size_t)conv->out_full * sizeof *bias);
    if (bias)
        memcpy(room, bias, (size_t)conv->shape.out * sizeof *bias);
    return dnnl_success;
}

/* The first of a network reads planar float32; what is gained by bfloat16 must pay for the narrowing. */
static dnnl_status_t find_planar(candidate_search search, const float *weights)
{
    const vd_conv *conv = search.conv;
    dnnl_status_t status = dnnl_success;
    search.made_type = VD_KERNEL_F32;
    if (conv->groups == 1)
        status = find_fed(search, weights, VD_KERNEL_F32);
    search.feed = VD_FEED_NARROWED;
    search.made_type = conv->out_type;
    if (status == dnnl_success && conv->groups == 1 && conv->shape.type == VD_KERNEL_BF16)
        status = find_fed(search, weights, VD_KERNEL_BF16);
    search.feed = VD_FEED_BLOCKED;
    if (status == dnnl_success && !conv->count)
        status = find_fed(search, weights, conv->shape.type);
    return status;
}

/* Pictures smaller than the kernel have none but the slow implementations; there is little to do then. */
static bool is_little(const vd_conv_shape *shape)
{
    double products = (double)shape->out_height * shape->out_width * shape->out *
                      (shape->in / shape->groups) * shape->kernel[0] * shape->kernel[1];
    return products < 1 << 20;
}

dnnl_status_t vd_conv_find(vd_conv *conv, const float *weights, const float *bias, const char *wanted)
{
    candidate_search search = {.conv = conv, .made_type = conv->out_type, .wanted = wanted};
    dnnl_status_t status = make_bias(conv, bias);
    if (status != dnnl_success)
        return status;
    bool planar = conv->shape.planar_in;
    if (planar)
        status = find_planar(search, weights);
    else
        status = find_fed(search, weights, conv->shape.type);
    search.feed = planar ? VD_FEED_BLOCKED : VD_FEED_AS_IS;
    search.takes_slow = true;
    if (status == dnnl_success && !conv->count && is_little(&conv->shape))
        status = find_fed(search, weights, conv->shape.type);
    return status;
}
