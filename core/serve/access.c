#include "serve/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "serve/access_state.h"
#include "serve/random.h"

static const int64_t ticket_life_ns = 30 * VD_NS_PER_S;

int vd_access_new(const vd_streaming_settings *settings, vd_access **ret_access, vd_error *error)
{
    int code = VD_OK;
    vd_access *access = calloc(1, sizeof *access);
    if (!access)
        return vd_error_set(error, VD_ENOMEM, NULL, "There is not enough memory for the access rules.");
    access->loopback = vd_access_is_loopback(settings->address);
    access->needs_token = !access->loopback || settings->token_file[0] != '\0';
    access->most_requests = settings->max_requests_per_s;
    for (int i = 0; i < settings->origin_count && code == VD_OK; i++)
        code = vd_origin_read(settings->origins[i], &access->origins[access->origin_count++])
                   ? VD_OK
                   : vd_error_set(error, VD_EINVAL, settings->origins[i],
                                  "The origin %s is none; it must be like https://host or https://host:8443.",
                                  settings->origins[i]);
    vd_peers_init(&access->peers);
    if (code == VD_OK && access->needs_token)
        code = vd_tokens_open(settings->token_file, &access->tokens, error);
    if (code)
        vd_access_free(&access);
    else
        *ret_access = access;
    return code;
}

void vd_access_free(vd_access **access)
{
    if (!*access)
        return;
    if ((*access)->tokens.list)
        explicit_bzero((*access)->tokens.list, (*access)->tokens.count * sizeof *(*access)->tokens.list);
    free((*access)->tokens.list);
    explicit_bzero(*access, sizeof **access);
    free(*access);
    *access = NULL;
}

bool vd_access_needs_token(const vd_access *access)
{
    return access->needs_token;
}

const char *vd_access_token_file(const vd_access *access)
{
    return access->tokens.path;
}

/* --- Tokens */

int vd_access_check_token(const vd_access *access, const char *token)
{
    char padded[VD_TOKEN_BYTES] = {0};
    int owner = VD_ACCESS_DENIED;
    if (!access->needs_token)
        return VD_ACCESS_OPEN;
    if (!token)
        return VD_ACCESS_DENIED;
    size_t length = strnlen(token, sizeof padded);
    memcpy(padded, token, length);
    /* Kept tokens end in a zero byte: one without an end is none of them. */
    for (size_t i = 0; i < access->tokens.count; i++)
        if (vd_same_secret(padded, access->tokens.list[i].bytes, sizeof padded))
            owner = (int)i;
    explicit_bzero(padded, sizeof padded);
    return owner;
}

int vd_access_check_header(const vd_access *access, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    char head[sizeof scheme] = {0};
    if (!access->needs_token)
        return VD_ACCESS_OPEN;
    if (!authorization)
        return VD_ACCESS_DENIED;
    memcpy(head, authorization, strnlen(authorization, sizeof head - 1));
    if (!vd_text_same(head, scheme))
        return VD_ACCESS_DENIED;
    return vd_access_check_token(access, authorization + strlen(scheme) +
                                             strspn(authorization + strlen(scheme), " "));
}

/* --- Tickets */

void vd_access_make_ticket(vd_access *access, int owner, int64_t now_ns, char ret_ticket[static VD_TICKET])
{
    struct vd_ticket *place = &access->tickets[0];
    for (size_t i = 0; i < VD_TICKETS; i++) {
        struct vd_ticket *ticket = &access->tickets[i];
        if (ticket->text[0] != '\0' && now_ns - ticket->made_ns > ticket_life_ns)
            explicit_bzero(ticket, sizeof *ticket);
        if (place->text[0] == '\0')
            continue;
        if (ticket->text[0] == '\0' || ticket->made_ns < place->made_ns)
            place = ticket;
    }
    *place = (struct vd_ticket){.owner = owner, .made_ns = now_ns};
    vd_random_hex(place->text, VD_TICKET - 1);
    memcpy(ret_ticket, place->text, sizeof place->text);
}

int vd_access_take_ticket(vd_access *access, const char *ticket, int64_t now_ns)
{
    char padded[VD_TICKET] = {0};
    int owner = VD_ACCESS_DENIED;
    if (!ticket || strnlen(ticket, VD_TICKET) != VD_TICKET - 1)
        return VD_ACCESS_DENIED;
    memcpy(padded, ticket, VD_TICKET - 1);
    for (size_t i = 0; i < VD_TICKETS; i++) {
        struct vd_ticket *kept = &access->tickets[i];
        if (!vd_same_secret(padded, kept->text, sizeof padded))
            continue;
        if (now_ns - kept->made_ns <= ticket_life_ns)
            owner = kept->owner;
        explicit_bzero(kept, sizeof *kept);
    }
    return owner;
}

/* --- How much a peer may ask for */

void vd_peers_init(vd_peers *peers)
{
    for (size_t i = 0; i < VD_PEERS; i++)
        peers->heads[i] = VD_NO_PEER;
    char secret[17];
    peers->seed = vd_random_hex(secret, 16) ? strtoull(secret, NULL, 16) : 0;
}

/* FNV-1a from a start that nobody knows, so that nobody can choose peers of one chain. */
static size_t chain_of(const vd_peers *peers, const char *name)
{
    uint64_t hash = peers->seed ^ UINT64_C(14695981039346656037);
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * UINT64_C(1099511628211);
    hash ^= hash >> 33;
    return (size_t)(hash * UINT64_C(0xff51afd7ed558ccd) >> 40) % VD_PEERS;
}

static void unlink_peer(vd_peers *peers, int16_t place)
{
    int16_t *link = &peers->heads[chain_of(peers, peers->list[place].name)];
    while (*link != place)
        link = &peers->list[*link].next;
    *link = peers->list[place].next;
}

/* A place for a new peer: a free one, else that of whoever asked last the longest ago. */
static int16_t make_room(vd_peers *peers)
{
    if (peers->count < VD_PEERS)
        return (int16_t)peers->count++;
    int16_t stalest = 0;
    for (int16_t i = 1; i < VD_PEERS; i++)
        if (peers->list[i].seen_ns < peers->list[stalest].seen_ns)
            stalest = i;
    unlink_peer(peers, stalest);
    return stalest;
}

static struct vd_peer *find_peer(vd_peers *peers, const char *name, int64_t now_ns)
{
    size_t chain = chain_of(peers, name);
    for (int16_t i = peers->heads[chain]; i != VD_NO_PEER; i = peers->list[i].next)
        if (strcmp(peers->list[i].name, name) == 0)
            return &peers->list[i];
    int16_t place = make_room(peers);
    struct vd_peer *peer = &peers->list[place];
    *peer = (struct vd_peer){.next = peers->heads[chain], .began_ns = now_ns};
    vd_text_copy(peer->name, sizeof peer->name, name);
    peers->heads[chain] = place;
    return peer;
}

bool vd_access_count_request(vd_access *access, const char *peer, int64_t now_ns)
{
    char name[sizeof((struct vd_peer *)0)->name];
    vd_text_copy(name, sizeof name, peer);
    struct vd_peer *known = find_peer(&access->peers, name, now_ns);
    known->seen_ns = now_ns;
    if (now_ns - known->began_ns >= VD_NS_PER_S) {
        known->began_ns = now_ns;
        known->requests = 0;
    }
    if (known->requests >= access->most_requests)
        return false;
    known->requests++;
    return true;
}
