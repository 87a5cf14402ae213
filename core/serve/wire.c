#include "serve/wire.h"

#include <string.h>

/* --- The reading side */

typedef struct WireInput {
    GInputStream parent;
    GIOStream *base;
    const vd_wire_watch *watch; /* of the wire; NULL once that is closed */
    GSource *source;            /* the newest that waits here; a reference */
    bool over;                  /* the client has gone */
} WireInput;

typedef struct WireInputClass {
    GInputStreamClass parent;
} WireInputClass;

static void wire_input_pollable(GPollableInputStreamInterface *interface);
static GType wire_input_get_type(void);
G_DEFINE_TYPE_WITH_CODE(WireInput, wire_input, G_TYPE_INPUT_STREAM,
                        G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_INPUT_STREAM, wire_input_pollable))

static GPollableInputStream *base_input(GIOStream *base)
{
    return G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(base));
}

static GPollableOutputStream *base_output(GIOStream *base)
{
    return G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(base));
}

static gssize fail_closed(GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The connection is closed.");
    return -1;
}

/* Remembers who waits, so that it can be woken when the wire breaks; until then, for a source holds its
 * stream. */
static void keep_source(GSource **kept, GSource *source)
{
    if (*kept)
        g_source_unref(*kept);
    *kept = source ? g_source_ref(source) : NULL;
}

static void wake_source(GSource **kept)
{
    if (*kept && !g_source_is_destroyed(*kept))
        g_source_set_ready_time(*kept, 0);
    keep_source(kept, NULL);
}

static gssize fail_would_block(GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "Not now.");
    return -1;
}

/* libsoup 3.2 keeps a connection for good whose client goes between two requests or is cut off early in one:
 * it learns of the end before it has begun to wait for a request. What is no request it answers and closes;
 * whatever came before, a head with a zero byte is none. */
static gssize read_nonsense(WireInput *input, void *buffer, gsize size)
{
    static const char nonsense[] = "\0\r\n\r\n";
    gsize length = MIN(size, sizeof nonsense - 1);
    input->over = true;
    memcpy(buffer, nonsense, length);
    return (gssize)length;
}

static gssize input_read_now(GPollableInputStream *stream, void *buffer, gsize size, GError **error)
{
    WireInput *input = (WireInput *)stream;
    if (!input->watch)
        return fail_closed(error);
    if (input->watch->may_read(input->watch->context) != VD_WIRE_READ)
        return fail_would_block(error);
    GError *failure = NULL;
    gssize count =
        g_pollable_input_stream_read_nonblocking(base_input(input->base), buffer, size, NULL, &failure);
    if (count > 0) {
        count = input->watch->did_read(input->watch->context, buffer, (size_t)count);
        if (count < 0)
            return read_nonsense(input, buffer, size);
        return count > 0 ? count : fail_would_block(error);
    }
    if (!g_error_matches(failure, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) && !input->over &&
        input->watch->is_idle(input->watch->context)) {
        g_clear_error(&failure);
        return read_nonsense(input, buffer, size);
    }
    if (failure)
        g_propagate_error(error, failure);
    return count;
}

static gssize input_read(GInputStream *stream, void *buffer, gsize size, GCancellable *cancellable,
                         GError **error)
{
    (void)cancellable;
    return input_read_now(G_POLLABLE_INPUT_STREAM(stream), buffer, size, error);
}

static gboolean input_is_readable(GPollableInputStream *stream)
{
    WireInput *input = (WireInput *)stream;
    if (!input->watch)
        return TRUE; /* to learn that it is closed */
    return input->watch->may_read(input->watch->context) == VD_WIRE_READ &&
           g_pollable_input_stream_is_readable(base_input(input->base));
}

static GSource *input_create_source(GPollableInputStream *stream, GCancellable *cancellable)
{
    WireInput *input = (WireInput *)stream;
    vd_wire_turn turn = input->watch ? input->watch->may_read(input->watch->context) : VD_WIRE_LATER;
    GSource *below = NULL;
    if (!input->watch)
        below = g_timeout_source_new(0);
    else if (turn == VD_WIRE_UNTIL_WRITABLE)
        below = g_pollable_output_stream_create_source(base_output(input->base), NULL);
    else if (turn != VD_WIRE_NEVER)
        below = g_pollable_input_stream_create_source(base_input(input->base), NULL);
    GSource *source = g_pollable_source_new_full(stream, below, cancellable);
    if (below)
        g_source_unref(below);
    if (input->watch)
        keep_source(&input->source, source);
    return source;
}

static void input_finalize(GObject *object)
{
    g_clear_object(&((WireInput *)object)->base);
    G_OBJECT_CLASS(wire_input_parent_class)->finalize(object);
}

static void wire_input_class_init(WireInputClass *class)
{
    G_OBJECT_CLASS(class)->finalize = input_finalize;
    G_INPUT_STREAM_CLASS(class)->read_fn = input_read;
}

static void wire_input_pollable(GPollableInputStreamInterface *interface)
{
    interface->is_readable = input_is_readable;
    interface->create_source = input_create_source;
    interface->read_nonblocking = input_read_now;
}

static void wire_input_init(WireInput *input)
{
    (void)input;
}

/* --- The writing side */

typedef struct WireOutput {
    GOutputStream parent;
    GIOStream *base;
    const vd_wire_watch *watch;
    GSource *source;
    const WireInput *input; /* of the same wire, as long as `watch` is set */
} WireOutput;

typedef struct WireOutputClass {
    GOutputStreamClass parent;
} WireOutputClass;

static void wire_output_pollable(GPollableOutputStreamInterface *interface);
static GType wire_output_get_type(void);
G_DEFINE_TYPE_WITH_CODE(WireOutput, wire_output, G_TYPE_OUTPUT_STREAM,
                        G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_OUTPUT_STREAM, wire_output_pollable))

static gssize output_write_now(GPollableOutputStream *stream, const void *buffer, gsize size, GError **error)
{
    WireOutput *output = (WireOutput *)stream;
    if (!output->watch)
        return fail_closed(error);
    if (output->input->over)
        return (gssize)size; /* nobody is there to read it */
    GError *failure = NULL;
    gssize count =
        g_pollable_output_stream_write_nonblocking(base_output(output->base), buffer, size, NULL, &failure);
    if (count > 0)
        output->watch->did_write(output->watch->context, buffer, (size_t)count);
    else if (g_error_matches(failure, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        output->watch->blocked(output->watch->context);
    if (failure)
        g_propagate_error(error, failure);
    return count;
}

static gssize output_write(GOutputStream *stream, const void *buffer, gsize size, GCancellable *cancellable,
                           GError **error)
{
    (void)cancellable;
    return output_write_now(G_POLLABLE_OUTPUT_STREAM(stream), buffer, size, error);
}

static gboolean output_is_writable(GPollableOutputStream *stream)
{
    WireOutput *output = (WireOutput *)stream;
    return !output->watch || g_pollable_output_stream_is_writable(base_output(output->base));
}

static GSource *output_create_source(GPollableOutputStream *stream, GCancellable *cancellable)
{
    WireOutput *output = (WireOutput *)stream;
    GSource *below = output->watch ? g_pollable_output_stream_create_source(base_output(output->base), NULL)
                                   : g_timeout_source_new(0);
    GSource *source = g_pollable_source_new_full(stream, below, cancellable);
    g_source_unref(below);
    if (output->watch)
        keep_source(&output->source, source);
    return source;
}

static void output_finalize(GObject *object)
{
    g_clear_object(&((WireOutput *)object)->base);
    G_OBJECT_CLASS(wire_output_parent_class)->finalize(object);
}

static void wire_output_class_init(WireOutputClass *class)
{
    G_OBJECT_CLASS(class)->finalize = output_finalize;
    G_OUTPUT_STREAM_CLASS(class)->write_fn = output_write;
}

static void wire_output_pollable(GPollableOutputStreamInterface *interface)
{
    interface->is_writable = output_is_writable;
    interface->create_source = output_create_source;
    interface->write_nonblocking = output_write_now;
}

static void wire_output_init(WireOutput *output)
{
    (void)output;
}

/* --- Both */

typedef struct Wire {
    GIOStream parent;
    vd_wire_watch watch;
    bool told; /* that it is closed */
    WireInput *input;
    WireOutput *output;
} Wire;

typedef struct WireClass {
    GIOStreamClass parent;
} WireClass;

static GType wire_get_type(void);
G_DEFINE_TYPE(Wire, wire, G_TYPE_IO_STREAM)

static GInputStream *wire_get_input(GIOStream *stream)
{
    return G_INPUT_STREAM(((Wire *)stream)->input);
}

static GOutputStream *wire_get_output(GIOStream *stream)
{
    return G_OUTPUT_STREAM(((Wire *)stream)->output);
}

static gboolean wire_close(GIOStream *stream, GCancellable *cancellable, GError **error)
{
    (void)cancellable;
    (void)error;
    Wire *self = (Wire *)stream;
    vd_wire_break(stream);
    if (!self->told) {
        self->told = true;
        self->watch.closed(self->watch.context);
    }
    return TRUE;
}

void vd_wire_break(GIOStream *stream)
{
    Wire *self = (Wire *)stream;
    self->input->watch = NULL;
    self->output->watch = NULL;
    wake_source(&self->input->source);
    wake_source(&self->output->source);
}

/* GLib would close on a thread of its own pool, where nothing of ours is to run. */
static void wire_close_async(GIOStream *stream, int priority, GCancellable *cancellable,
                             GAsyncReadyCallback callback, void *data)
{
    GTask *task = g_task_new(stream, cancellable, callback, data);
    g_task_set_priority(task, priority);
    wire_close(stream, NULL, NULL);
    g_task_return_boolean(task, TRUE);
    g_object_unref(task);
}

static gboolean wire_close_finish(GIOStream *stream, GAsyncResult *result, GError **error)
{
    (void)stream;
    return g_task_propagate_boolean(G_TASK(result), error);
}

static void wire_finalize(GObject *object)
{
    Wire *self = (Wire *)object;
    wire_close(G_IO_STREAM(self), NULL, NULL);
    g_clear_object(&self->input);
    g_clear_object(&self->output);
    G_OBJECT_CLASS(wire_parent_class)->finalize(object);
}

static void wire_class_init(WireClass *class)
{
    GIOStreamClass *stream = G_IO_STREAM_CLASS(class);
    G_OBJECT_CLASS(class)->finalize = wire_finalize;
    stream->get_input_stream = wire_get_input;
    stream->get_output_stream = wire_get_output;
    stream->close_fn = wire_close;
    stream->close_async = wire_close_async;
    stream->close_finish = wire_close_finish;
}

static void wire_init(Wire *self)
{
    self->input = g_object_new(wire_input_get_type(), NULL);
    self->output = g_object_new(wire_output_get_type(), NULL);
}

GIOStream *vd_wire_new(GIOStream *base, const vd_wire_watch *watch)
{
    Wire *self = g_object_new(wire_get_type(), NULL);
    self->watch = *watch;
    self->input->base = g_object_ref(base);
    self->output->base = g_object_ref(base);
    self->output->input = self->input;
    self->input->watch = self->output->watch = &self->watch;
    return G_IO_STREAM(self);
}
