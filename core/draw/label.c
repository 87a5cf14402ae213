/* Shaping text costs more than painting it, and most labels of a frame stood in the frame before it: layouts
 * are kept in a table of fixed size, one slot a hash; a text that finds its slot taken replaces what is
 * there.
 *
 * Pango's default font map belongs to a thread. Each cache has a map of its own, so that painters may live on
 * any thread and move between threads. */
#include "draw/label.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "vedette/error.h"

enum { SLOTS = 256 };

static const double FONT_UNITS = 12, PAD_X_UNITS = 5, PAD_Y_UNITS = 2, MARK_UNITS = 10, MARK_LINE_UNITS = 1.8;

typedef struct slot {
    PangoLayout *layout;
    char text[VD_LABEL_BYTES];
    double unit, room;    /* what it was shaped for; room counts where the text is wider than that */
    double natural;       /* width of the whole text, device pixels */
    double width, height; /* as shown */
} slot;

struct vd_label_cache {
    PangoFontMap *map;
    PangoContext *context;
    PangoFontDescription *font;
    PangoAttrList *attributes;
    double unit; /* that `font` is set to */
    slot slots[SLOTS];
};

int vd_label_cache_new(vd_label_cache **ret_cache)
{
    vd_label_cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return VD_ENOMEM;
    cache->map = pango_cairo_font_map_new();
    cache->context = pango_font_map_create_context(cache->map);
    cache->font = pango_font_description_from_string("Sans Semi-Bold");
    cache->attributes = pango_attr_list_new();
    pango_attr_list_insert(cache->attributes, pango_attr_font_features_new("tnum=1"));

    /* The same glyphs at every place of a label, and the same widths at every scale. */
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_SLIGHT);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(cache->context, options);
    cairo_font_options_destroy(options);
    *ret_cache = cache;
    return VD_OK;
}

void vd_label_cache_free(vd_label_cache **cache)
{
    if (!cache || !*cache)
        return;
    for (int i = 0; i < SLOTS; i++)
        g_clear_object(&(*cache)->slots[i].layout);
    pango_attr_list_unref((*cache)->attributes);
    pango_font_description_free((*cache)->font);
    g_object_unref((*cache)->context);
    g_object_unref((*cache)->map);
    free(*cache);
    *cache = NULL;
}

static unsigned hash_text(const char *text)
{
    uint32_t hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return (hash ^ hash >> 15) % SLOTS;
}

static void measure_layout(slot *entry)
{
    int width, height;
    pango_layout_get_size(entry->layout, &width, &height);
    entry->width = (double)width / PANGO_SCALE;
    entry->height = (double)height / PANGO_SCALE;
}

static void shape(vd_label_cache *cache, slot *entry, const char *text)
{
    if (!entry->layout) {
        entry->layout = pango_layout_new(cache->context);
        pango_layout_set_single_paragraph_mode(entry->layout, TRUE);
        pango_layout_set_attributes(entry->layout, cache->attributes);
    }
    pango_layout_set_font_description(entry->layout, cache->font);
    pango_layout_set_width(entry->layout, -1);
    /* U+FFFD takes three bytes for one that was broken. */
    char clean[3 * VD_LABEL_BYTES + 1];
    vd_text_clean(clean, sizeof(clean), text, strlen(text));
    pango_layout_set_text(entry->layout, clean, -1);
    vd_text_copy(entry->text, sizeof(entry->text), text);
    measure_layout(entry);
    entry->natural = entry->width;
    entry->unit = cache->unit;
    entry->room = INFINITY;
}

static void fit(slot *entry, double room)
{
    double limit = entry->natural > room ? room : INFINITY;
    if (limit == entry->room)
        return;
    entry->room = limit;
    pango_layout_set_ellipsize(entry->layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_width(entry->layout, isinf(limit) ? -1 : (int)(limit * PANGO_SCALE));
    measure_layout(entry);
}

void vd_label_begin(vd_label_cache *cache, cairo_t *cr, double unit)
{
    pango_cairo_update_context(cr, cache->context);
    if (cache->unit == unit)
        return;
    pango_font_description_set_absolute_size(cache->font, FONT_UNITS * unit * PANGO_SCALE);
    cache->unit = unit;
}

/* What a mark takes of the label's width: itself and what keeps it from the text. */
static double mark_width(const vd_label_cache *cache, const vd_label *label)
{
    return label->mark == VD_MARK_NONE ? 0 : ceil((MARK_UNITS + PAD_X_UNITS) * cache->unit);
}

static slot *find(vd_label_cache *cache, const vd_label *label)
{
    char text[VD_LABEL_BYTES];
    size_t length = strnlen(label->text, VD_LABEL_BYTES - 1);
    memcpy(text, label->text, length);
    text[length] = '\0';
    vd_text_trim_partial(text);
    slot *entry = &cache->slots[hash_text(text)];
    if (!entry->layout || entry->unit != cache->unit || strcmp(entry->text, text) != 0)
        shape(cache, entry, text);
    fit(entry, fmax(label->room - 2 * PAD_X_UNITS * cache->unit - mark_width(cache, label), 1));
    return entry;
}

void vd_label_measure(vd_label_cache *cache, vd_label *label)
{
    slot *entry = find(cache, label);
    double width = ceil(entry->width + 2 * PAD_X_UNITS * cache->unit) + mark_width(cache, label);
    label->tag.width = fmin(width, label->room);
    label->tag.height = ceil(entry->height + 2 * PAD_Y_UNITS * cache->unit);
}

bool vd_label_wants_dark_text(const double rgb[3])
{
    static const double WEIGHTS[3] = {0.2126, 0.7152, 0.0722};
    double luminance = 0;
    for (int i = 0; i < 3; i++) {
        double linear = rgb[i] <= 0.04045 ? rgb[i] / 12.92 : pow((rgb[i] + 0.055) / 1.055, 2.4);
        luminance += WEIGHTS[i] * linear;
    }
    /* Contrast with black against contrast with white. */
    return (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05);
}

static void paint_tag(const vd_label *label, cairo_t *cr, double halo)
{
    const vd_rect *tag = &label->tag;
    cairo_rectangle(cr, tag->x - halo, tag->y - halo, tag->width + 2 * halo, tag->height + 2 * halo);
    cairo_set_source_rgba(cr, 0, 0, 0, 0.7);
    cairo_fill(cr);
    if (label->faint)
        return;
    cairo_rectangle(cr, tag->x, tag->y, tag->width, tag->height);
    cairo_set_source_rgb(cr, label->rgb[0], label->rgb[1], label->rgb[2]);
    cairo_fill(cr);
}

void vd_label_paint(vd_label_cache *cache, cairo_t *cr, const vd_label *label)
{
    const vd_rect *tag = &label->tag;
    const double *rgb = label->rgb;
    slot *entry = find(cache, label);
    paint_tag(label, cr, label->faint ? 0 : fmax(1, round(cache->unit)));
    if (label->faint)
        cairo_set_source_rgb(cr, (2 + rgb[0]) / 3, (2 + rgb[1]) / 3, (2 + rgb[2]) / 3);
    else if (vd_label_wants_dark_text(rgb))
        cairo_set_source_rgb(cr, 0.05, 0.05, 0.05);
    else
        cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_move_to(cr, tag->x + floor(PAD_X_UNITS * cache->unit),
                  tag->y + floor((tag->height - entry->height) / 2));
    pango_cairo_show_layout(cr, entry->layout);
    double side = round(MARK_UNITS * cache->unit);
    vd_rect square = {tag->x + tag->width - floor(PAD_X_UNITS * cache->unit) - side,
                      tag->y + floor((tag->height - side) / 2), side, side};
    if (square.x > tag->x)
        vd_mark_paint(cr, label->mark, &square, MARK_LINE_UNITS * cache->unit);
}
