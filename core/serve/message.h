/* The messages of the streaming interface as values: reading what strangers sent, writing what they get. Pure
 * functions; nothing here knows of connections. */
#ifndef VD_SERVE_MESSAGE_H
#define VD_SERVE_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/config.h"
#include "vedette/detection.h"
#include "vedette/error.h"

enum { VD_TOKEN_MOST = 256, VD_JSON_DEPTH = 8 };

/* Room for the JSON text of a text of so many bytes: each may take six, as \u0001 does. */
#define VD_SCALAR_TEXT(bytes) (6 * (bytes) + 3)
enum { VD_FRAME_ID_BYTES = 159, VD_FRAME_ID = VD_SCALAR_TEXT(VD_FRAME_ID_BYTES), VD_STAMP_BYTES = 61 };

typedef enum vd_message_kind {
    VD_MESSAGE_FRAME,
    VD_MESSAGE_NEXT, /* the frame_id of the binary message that follows */
    VD_MESSAGE_CONFIG,
    VD_MESSAGE_PING,
    VD_MESSAGE_AUTH /* {"type":"auth","token":…}, the first message where headers cannot be set */
} vd_message_kind;

typedef struct vd_message {
    vd_message_kind kind;
    char frame_id[VD_FRAME_ID]; /* FRAME, NEXT: as JSON text (a number or a string); empty: none was given */
    uint8_t *bytes;             /* FRAME: the encoded picture, malloc */
    size_t size;
    bool timed;
    double timestamp;                           /* seconds, the client's; with `timed` */
    char stamp[VD_SCALAR_TEXT(VD_STAMP_BYTES)]; /* PING: its timestamp as JSON text; `null` for none */
    json_t *config;                             /* CONFIG: the object with the changes; a reference */
    char token[VD_TOKEN_MOST];                  /* AUTH */
    vd_refusal refusal; /* FRAME, NEXT: the value that cannot be; an empty field when it is none */
} vd_message;

/* Reads a text message: valid UTF-8, at most VD_JSON_DEPTH deep (checked before it is parsed), an object with
 * a known `type`. `{"type":"frame","image_data":<base64, data: URLs too>,"frame_id":…,"timestamp":…}`,
 * `{"type":"config","config":{…}}` (or the fields beside `type`), `{"type":"ping","timestamp":…}`.
 *
 * most_bytes   of a decoded picture
 * ret_message  on failure only its frame_id is set, so that the error can name the frame, and its refusal
 * where a value cannot be VD_OK, VD_EFORMAT or VD_EINVAL (too large), VD_ENOMEM. */
int vd_message_read(const char *text, size_t size, size_t most_bytes, vd_message *ret_message,
                    vd_error *error);

/* The body of POST /stream/process as JSON: a frame message, whose `type` may be missing. */
int vd_message_read_frame(const char *text, size_t size, size_t most_bytes, vd_message *ret_message,
                          vd_error *error);

/* Parses a body that is to be a JSON object, with the same limits. One reference. */
int vd_json_read_object(const char *text, size_t size, json_t **ret_object, vd_error *error);

void vd_message_clear(vd_message *message);

typedef enum vd_skip_reason {
    VD_SKIP_FPS_LIMIT,  /* came sooner than fps_limit allows: a newer one took its place */
    VD_SKIP_QUEUE_FULL, /* queue_size frames waited: the oldest gave way */
    VD_SKIP_SUPERSEDED, /* the service runs at a lowered rate: a newer one took its place */
    VD_SKIP_DEADLINE    /* waited too long for a worker to be worth an answer */
} vd_skip_reason;

const char *vd_skip_reason_name(vd_skip_reason reason); /* `fps_limit` … */

typedef enum vd_answer_kind { VD_ANSWER_RESULT, VD_ANSWER_SKIPPED, VD_ANSWER_ERROR } vd_answer_kind;

/* What one frame is answered with; exactly once. Everything is borrowed. */
typedef struct vd_answer {
    vd_answer_kind kind;
    const char *frame_id; /* JSON text; empty: `null` */

    const vd_detection *detections; /* RESULT */
    size_t count;
    const vd_labels *labels;
    int width, height;             /* of the picture */
    int input_width, input_height; /* of the network for this frame */
    double processing_ms;          /* from arrival to answer */
    double queue_ms, decode_ms, forward_ms;
    vd_quality_mode mode;
    int level;  /* of the service's quality: 0 is full */
    double fps; /* what the session gets at this level */
    const char *model;

    vd_skip_reason reason; /* SKIPPED */
    const vd_error *error; /* ERROR */
} vd_answer;

/* Each gives one line of JSON in valid UTF-8, malloc; NULL: no memory. `bbox` has 2 decimals, confidences
 * have 5, times in milliseconds 3; in every locale alike. Keys that do not apply are left out.
 *
 * {"type":"detection_result","data":{"frame_id","detections":[{"bbox":[x1,y1,x2,y2],"confidence","class_id",
 * "class_name","track_id"}],"processing_time_ms","timing_ms":{"queue","decode","forward"},"width","height",
 * "model","input":[width,height],"quality":{"mode","level","fps"}}}
 * {"type":"skipped","frame_id","reason"} or {"type":"error","error","frame_id"} */
char *vd_message_write_answer(const vd_answer *answer);

/* Into memory that is there already, at most VD_FRAME_ID + 80 bytes: a skipped frame; everything else as an
 * error for want of memory. Returns the length. */
int vd_message_print_short(const vd_answer *answer, char *out, size_t size);

/* {"type":"ping","timestamp"}; `stamp` as JSON text. */
char *vd_message_write_ping(const char *stamp);

/* {"type":"error","error","frame_id","field","value","range"}
 *
 * frame_id  JSON text; empty or NULL: `null`, or nothing where there is a refusal
 * refusal   of a configuration; may be NULL */
char *vd_message_write_error(const char *sentence, const char *frame_id, const vd_refusal *refusal);

/* {"type":"config","client_id","config":{…}} */
char *vd_message_write_config(const char *client_id, const vd_session_config *config);

/* {"type":"detections"|"event"|"state","camera","unix_ms","data":{…}}, with as data
 * {"frame","time","detections":[…],"latency_ms","width","height","model","input"},
 * {"id","track_id","class_id","class_name","opened_frame","opened","seen","opened_unix_ms","closed",
 * "confidence","bbox","verdict","verdict_words","score","shadow","judgement","revision"} (times in seconds of
 * the stream; the three behind `verdict` once there is one) or {"state","reason"}. */
struct vd_feed_item;
char *vd_message_write_feed(const char *camera, const struct vd_feed_item *item);

#endif
