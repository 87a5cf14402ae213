#include "engine/kernel_choice.h"

#include <string.h>

#include "base/text.h"
#include "base/thread.h"

typedef struct choice {
    vd_choice_key key;
    char text[VD_CHOICE_TEXT];
} choice;

static vd_mutex lock = VD_MUTEX_INIT(VD_RANK_KERNELS);
static choice choices[VD_CHOICES];
static size_t kept; /* ever; the next one's place is kept % VD_CHOICES */

/* Field by field into zeros: what lies between the fields must be the same in equal keys. */
void vd_choice_key_of(const vd_conv_shape *shape, int threads, int block, vd_choice_key *ret_key)
{
    vd_conv_shape *to = &ret_key->shape;
    memset(ret_key, 0, sizeof *ret_key);
    ret_key->threads = threads;
    ret_key->block = block;
    to->in = shape->in;
    to->out = shape->out;
    to->in_height = shape->in_height;
    to->in_width = shape->in_width;
    to->out_height = shape->out_height;
    to->out_width = shape->out_width;
    memcpy(to->kernel, shape->kernel, sizeof shape->kernel);
    memcpy(to->stride, shape->stride, sizeof shape->stride);
    memcpy(to->dilation, shape->dilation, sizeof shape->dilation);
    memcpy(to->pads, shape->pads, sizeof shape->pads);
    to->groups = shape->groups;
    to->planar_in = shape->planar_in;
    to->float_out = shape->float_out;
    to->type = shape->type;
    to->act = shape->act;
    memcpy(to->act_args, shape->act_args, sizeof shape->act_args);
    to->add = shape->add;
}

void vd_choice_lock(void)
{
    vd_mutex_lock(&lock);
}

void vd_choice_unlock(void)
{
    vd_mutex_unlock(&lock);
}

static choice *find(const vd_choice_key *key)
{
    for (size_t i = 0; i < VD_CHOICES && i < kept; i++)
        if (memcmp(&choices[i].key, key, sizeof *key) == 0)
            return &choices[i];
    return NULL;
}

bool vd_choice_find(const vd_choice_key *key, char ret_text[VD_CHOICE_TEXT])
{
    const choice *found = find(key);
    if (found)
        memcpy(ret_text, found->text, VD_CHOICE_TEXT);
    return found != NULL;
}

void vd_choice_keep(const vd_choice_key *key, const char *text)
{
    choice *place = find(key);
    if (!place)
        place = &choices[kept++ % VD_CHOICES];
    place->key = *key;
    vd_text_copy(place->text, sizeof place->text, text);
}
