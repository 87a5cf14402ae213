#include "serve/wire.h"

/* --- The reading side */

typedef struct wire_input {
    GInputStream parent;
    GIOStream *base;
    const vd_wire_watch *watch; /* of the wire; NULL once that is closed */
} wire_input;

typedef struct wire_input_class {
    GInputStreamClass parent;
} wire_input_class;

static void wire_input_pollable(GPollableInputStreamInterface *interface);
static GType wire_input_get_type(void);
G_DEFINE_TYPE_WITH_CODE(wire_input, wire_input, G_TYPE_INPUT_STREAM,
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

static gssize fail_would_block(GError **error)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "Not now.");
    return -1;
}

static gssize input_read_now(GPollableInputStream *stream, void *buffer, gsize size, GError **error)
{
    wire_input *input = (wire_input *)stream;
    if (!input->watch)
        return fail_closed(error);
    if (!input->watch->may_read(input->watch->context))
        return fail_would_block(error);
    gssize count =
        g_pollable_input_stream_read_nonblocking(base_input(input->base), buffer, size, NULL, error);
    if (count > 0)
        input->watch->did_read(input->watch->context, buffer, (size_t)count);
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
    wire_input *input = (wire_input *)stream;
    if (!input->watch)
        return TRUE; /* to learn that it is closed */
    return input->watch->may_read(input->watch->context) &&
           g_pollable_input_stream_is_readable(base_input(input->base));
}

static GSource *input_create_source(GPollableInputStream *stream, GCancellable *cancellable)
{
    wire_input *input = (wire_input *)stream;
    GSource *below;
    if (!input->watch)
        below = g_timeout_source_new(0);
    else if (input->watch->may_read(input->watch->context))
        below = g_pollable_input_stream_create_source(base_input(input->base), NULL);
    else
        below = g_pollable_output_stream_create_source(base_output(input->base), NULL);
    GSource *source = g_pollable_source_new_full(stream, below, cancellable);
    g_source_unref(below);
    return source;
}

static void input_finalize(GObject *object)
{
    g_clear_object(&((wire_input *)object)->base);
    G_OBJECT_CLASS(wire_input_parent_class)->finalize(object);
}

static void wire_input_class_init(wire_input_class *class)
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

static void wire_input_init(wire_input *input)
{
    (void)input;
}

/* --- The writing side */

typedef struct wire_output {
    GOutputStream parent;
    GIOStream *base;
    const vd_wire_watch *watch;
} wire_output;

typedef struct wire_output_class {
    GOutputStreamClass parent;
} wire_output_class;

static void wire_output_pollable(GPollableOutputStreamInterface *interface);
static GType wire_output_get_type(void);
G_DEFINE_TYPE_WITH_CODE(wire_output, wire_output, G_TYPE_OUTPUT_STREAM,
                        G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_OUTPUT_STREAM, wire_output_pollable))

static gssize output_write_now(GPollableOutputStream *stream, const void *buffer, gsize size, GError **error)
{
    wire_output *output = (wire_output *)stream;
    if (!output->watch)
        return fail_closed(error);
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
    wire_output *output = (wire_output *)stream;
    return !output->watch || g_pollable_output_stream_is_writable(base_output(output->base));
}

static GSource *output_create_source(GPollableOutputStream *stream, GCancellable *cancellable)
{
    wire_output *output = (wire_output *)stream;
    GSource *below = output->watch ? g_pollable_output_stream_create_source(base_output(output->base), NULL)
                                   : g_timeout_source_new(0);
    GSource *source = g_pollable_source_new_full(stream, below, cancellable);
    g_source_unref(below);
    return source;
}

static void output_finalize(GObject *object)
{
    g_clear_object(&((wire_output *)object)->base);
    G_OBJECT_CLASS(wire_output_parent_class)->finalize(object);
}

static void wire_output_class_init(wire_output_class *class)
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

static void wire_output_init(wire_output *output)
{
    (void)output;
}

/* --- Both */

typedef struct wire {
    GIOStream parent;
    vd_wire_watch watch;
    bool told; /* that it is closed */
    wire_input *input;
    wire_output *output;
} wire;

typedef struct wire_class {
    GIOStreamClass parent;
} wire_class;

static GType wire_get_type(void);
G_DEFINE_TYPE(wire, wire, G_TYPE_IO_STREAM)

static GInputStream *wire_get_input(GIOStream *stream)
{
    return G_INPUT_STREAM(((wire *)stream)->input);
}

static GOutputStream *wire_get_output(GIOStream *stream)
{
    return G_OUTPUT_STREAM(((wire *)stream)->output);
}

static gboolean wire_close(GIOStream *stream, GCancellable *cancellable, GError **error)
{
    (void)cancellable;
    (void)error;
    wire *self = (wire *)stream;
    vd_wire_break(stream);
    if (!self->told) {
        self->told = true;
        self->watch.closed(self->watch.context);
    }
    return TRUE;
}

void vd_wire_break(GIOStream *stream)
{
    wire *self = (wire *)stream;
    self->input->watch = NULL;
    self->output->watch = NULL;
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
    wire *self = (wire *)object;
    wire_close(G_IO_STREAM(self), NULL, NULL);
    g_clear_object(&self->input);
    g_clear_object(&self->output);
    G_OBJECT_CLASS(wire_parent_class)->finalize(object);
}

static void wire_class_init(wire_class *class)
{
    GIOStreamClass *stream = G_IO_STREAM_CLASS(class);
    G_OBJECT_CLASS(class)->finalize = wire_finalize;
    stream->get_input_stream = wire_get_input;
    stream->get_output_stream = wire_get_output;
    stream->close_fn = wire_close;
    stream->close_async = wire_close_async;
    stream->close_finish = wire_close_finish;
}

static void wire_init(wire *self)
{
    self->input = g_object_new(wire_input_get_type(), NULL);
    self->output = g_object_new(wire_output_get_type(), NULL);
}

GIOStream *vd_wire_new(GIOStream *base, const vd_wire_watch *watch)
{
    wire *self = g_object_new(wire_get_type(), NULL);
    self->watch = *watch;
    self->input->base = g_object_ref(base);
    self->output->base = g_object_ref(base);
    self->input->watch = self->output->watch = &self->watch;
    return G_IO_STREAM(self);
}
