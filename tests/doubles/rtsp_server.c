/* An RTSP server on the loopback, for tests.
 *
 * rtsp_server [--port N] [--file CLIP.mp4] [--user NAME --password WORD]
 *
 * Prints the port on one line once it listens. /live is a moving test picture in H.264, /mjpeg the same in
 * JPEG, /clip the H.264 of CLIP.mp4. With a user every path asks for name and password. Ends when its
 * standard input does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gst/rtsp-server/rtsp-server.h>

#define LIVE_PICTURE                                                                                         \
    "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=640,height=360,framerate=25/1 "

struct wishes {
    const char *port, *file, *user, *password;
};

static gboolean read_arguments(int count, char **values, struct wishes *wishes)
{
    *wishes = (struct wishes){.port = "0"};
    for (int i = 1; i + 1 < count; i += 2) {
        if (strcmp(values[i], "--port") == 0)
            wishes->port = values[i + 1];
        else if (strcmp(values[i], "--file") == 0)
            wishes->file = values[i + 1];
        else if (strcmp(values[i], "--user") == 0)
            wishes->user = values[i + 1];
        else if (strcmp(values[i], "--password") == 0)
            wishes->password = values[i + 1];
        else
            return FALSE;
    }
    return count % 2 == 1;
}

static void add(GstRTSPServer *server, const char *path, const char *launch, gboolean locked)
{
    GstRTSPMountPoints *points = gst_rtsp_server_get_mount_points(server);
    GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new();
    gst_rtsp_media_factory_set_launch(factory, launch);
    gst_rtsp_media_factory_set_shared(factory, TRUE);
    if (locked)
        gst_rtsp_media_factory_add_role(factory, "viewer", GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN,
                                        TRUE, GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE,
                                        NULL);
    gst_rtsp_mount_points_add_factory(points, path, factory);
    g_object_unref(points);
}

static void lock(GstRTSPServer *server, const char *user, const char *password)
{
    GstRTSPAuth *auth = gst_rtsp_auth_new();
    GstRTSPToken *token =
        gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, "viewer", NULL);
    gchar *basic = gst_rtsp_auth_make_basic(user, password);
    gst_rtsp_auth_add_basic(auth, basic, token);
    gst_rtsp_server_set_auth(server, auth);
    g_free(basic);
    gst_rtsp_token_unref(token);
    g_object_unref(auth);
}

static gboolean end(GIOChannel *channel, GIOCondition condition, gpointer loop)
{
    char bytes[64];
    gsize count = 0;
    if ((condition & G_IO_IN) &&
        g_io_channel_read_chars(channel, bytes, sizeof bytes, &count, NULL) == G_IO_STATUS_NORMAL)
        return G_SOURCE_CONTINUE;
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

int main(int count, char **values)
{
    struct wishes wishes;
    if (!read_arguments(count, values, &wishes)) {
        fprintf(stderr, "usage: rtsp_server [--port N] [--file CLIP.mp4] [--user NAME --password WORD]\n");
        return 2;
    }
    gst_init(NULL, NULL);
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    GstRTSPServer *server = gst_rtsp_server_new();
    gst_rtsp_server_set_address(server, "127.0.0.1");
    gst_rtsp_server_set_service(server, wishes.port);
    gboolean locked = wishes.user && wishes.password;
    if (locked)
        lock(server, wishes.user, wishes.password);
    add(server, "/live",
        "( " LIVE_PICTURE "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 "
        "! rtph264pay name=pay0 pt=96 config-interval=1 )",
        locked);
    add(server, "/mjpeg", "( " LIVE_PICTURE "! jpegenc ! rtpjpegpay name=pay0 pt=26 )", locked);
    if (wishes.file) {
        gchar *launch =
            g_strdup_printf("( filesrc location=\"%s\" ! qtdemux name=d d.video_0 ! queue ! h264parse "
                            "! rtph264pay name=pay0 pt=96 config-interval=1 )",
                            wishes.file);
        add(server, "/clip", launch, locked);
        g_free(launch);
    }
    if (gst_rtsp_server_attach(server, NULL) == 0) {
        fprintf(stderr, "rtsp_server: port %s cannot be used\n", wishes.port);
        return 1;
    }
    printf("%d\n", gst_rtsp_server_get_bound_port(server));
    fflush(stdout);
    GIOChannel *input = g_io_channel_unix_new(0);
    g_io_add_watch(input, G_IO_IN | G_IO_HUP | G_IO_ERR, end, loop);
    g_main_loop_run(loop);
    g_io_channel_unref(input);
    g_object_unref(server);
    g_main_loop_unref(loop);
    return 0;
}
