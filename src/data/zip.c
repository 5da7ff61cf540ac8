/*
 * zip.c - NPZ files: NPY arrays in a zip archive. Invariant: every offset and length that the archive states is held against
 * the file's own length before it is followed, and what it states twice must be said alike.
 */
#include "base/fp.h"

#include <string.h>

#include "data/bytes.h"
#include "data/npy.h"
#include "data/reader.h"

#define ZIP_END_BYTES 22u
#define ZIP_LOCATOR_BYTES 20u
#define ZIP_END64_BYTES 56u
#define ZIP_ENTRY_BYTES 46u
#define ZIP_LOCAL_BYTES 30u
#define ZIP_COMMENT_MOST 65535u
#define ZIP_VERSION 63u /* of the format: 6.3 */

/* Array names that a message about them lists. */
#define ZIP_NAMED 12u
#define ZIP_NAME_SHOWN 60u

typedef struct zip_archive {
    const char *name;
    const unsigned char *data;
    size_t length;
    size_t directory, directory_end;
    uint64_t count; /* entries, by the end record */
    hill_allocator allocator;
    hill_limits limits;
    hill_error *error;
} zip_archive;

/* An array of the archive; its name is without ".npy". */
typedef struct zip_member {
    size_t at; /* of its entry in the directory */
    const char *name;
    size_t name_length, full_length;
    unsigned flags, method;
    uint32_t crc;
    uint64_t packed, length, offset;
} zip_member;

static int zip_damaged(const zip_archive *zip, size_t at)
{
    return hill__fail(zip->error, HILL_EDATA,
                      "%s: the zip archive is damaged or cut off at byte %zu; copy or download the file again", zip->name, at);
}

bool hill__zip_is(const hill_bytes *bytes)
{
    return bytes->length >= 4 && (memcmp(bytes->data, "PK\3\4", 4) == 0 || memcmp(bytes->data, "PK\5\6", 4) == 0);
}

/* Where the directory lies and what it holds, by the zip64 record before the end record. */
static bool zip_open64(zip_archive *zip, size_t end, uint64_t *start, uint64_t *size)
{
    if (end < ZIP_LOCATOR_BYTES || memcmp(zip->data + end - ZIP_LOCATOR_BYTES, "PK\6\7", 4) != 0)
        return false;
    uint64_t at = hill__bytes_u64(zip->data + end - ZIP_LOCATOR_BYTES + 8);
    if (at > zip->length || zip->length - at < ZIP_END64_BYTES || memcmp(zip->data + at, "PK\6\6", 4) != 0)
        return false;
    zip->count = hill__bytes_u64(zip->data + at + 32);
    *size = hill__bytes_u64(zip->data + at + 40);
    *start = hill__bytes_u64(zip->data + at + 48);
    return true;
}

/* Finds the end record, which a comment may follow, and by it the directory. */
static int zip_open(zip_archive *zip)
{
    if (zip->length < ZIP_END_BYTES)
        return zip_damaged(zip, zip->length);
    size_t end = zip->length - ZIP_END_BYTES, comment = 0;
    while (memcmp(zip->data + end, "PK\5\6", 4) != 0 || hill__bytes_u16(zip->data + end + 20) != comment) {
        if (end == 0 || comment == ZIP_COMMENT_MOST)
            return zip_damaged(zip, zip->length);
        end--;
        comment++;
    }
    uint64_t size = hill__bytes_u32(zip->data + end + 12), start = hill__bytes_u32(zip->data + end + 16);
    zip->count = hill__bytes_u16(zip->data + end + 10);
    bool wide = size == UINT32_MAX || start == UINT32_MAX || zip->count == UINT16_MAX;
    if ((wide && !zip_open64(zip, end, &start, &size)) || start > end || size > end - start)
        return zip_damaged(zip, end);
    zip->directory = (size_t)start;
    zip->directory_end = (size_t)(start + size);
    return HILL_OK;
}

/* Numbers of 32 set bits stand in the extra field with id 1 as 64 bits, in this order. */
static bool zip_extra(const unsigned char *extra, size_t length, zip_member *member)
{
    uint64_t *fields[] = {&member->length, &member->packed, &member->offset};
    while (length >= 4) {
        size_t id = hill__bytes_u16(extra), size = hill__bytes_u16(extra + 2), at = 4;
        if (size > length - 4)
            return false;
        for (size_t i = 0; id == 1 && i < 3; i++) {
            if (*fields[i] != UINT32_MAX)
                continue;
            if (at + 8 > size + 4)
                return false;
            *fields[i] = hill__bytes_u64(extra + at);
            at += 8;
        }
        extra += size + 4;
        length -= size + 4;
    }
    return true;
}

/* The entry at *at, which moves behind it; 1, or 0 at the directory's end. */
static int zip_next(const zip_archive *zip, size_t *at, zip_member *member)
{
    const unsigned char *p = zip->data + *at;
    size_t left = zip->directory_end - *at;
    if (left == 0)
        return 0;
    if (left < ZIP_ENTRY_BYTES || memcmp(p, "PK\1\2", 4) != 0 || p[6] > ZIP_VERSION)
        return zip_damaged(zip, *at);
    size_t name = hill__bytes_u16(p + 28), extra = hill__bytes_u16(p + 30), comment = hill__bytes_u16(p + 32);
    if (name + extra + comment > left - ZIP_ENTRY_BYTES)
        return zip_damaged(zip, *at);
    *member = (zip_member){.at = *at,
                           .name = (const char *)p + ZIP_ENTRY_BYTES,
                           .name_length = name,
                           .full_length = name,
                           .flags = hill__bytes_u16(p + 8),
                           .method = hill__bytes_u16(p + 10),
                           .crc = hill__bytes_u32(p + 16),
                           .packed = hill__bytes_u32(p + 20),
                           .length = hill__bytes_u32(p + 24),
                           .offset = hill__bytes_u32(p + 42)};
    if (!zip_extra(p + ZIP_ENTRY_BYTES + name, extra, member))
        return zip_damaged(zip, *at);
    if (name > 4 && memcmp(member->name + name - 4, ".npy", 4) == 0)
        member->name_length -= 4;
    *at += ZIP_ENTRY_BYTES + name + extra + comment;
    return 1;
}

static char zip_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool zip_is_called(const zip_member *member, const char *name)
{
    if (strlen(name) != member->name_length)
        return false;
    for (size_t i = 0; i < member->name_length; i++)
        if (zip_lower(member->name[i]) != name[i])
            return false;
    return true;
}

/* What a member takes of the file, at least. */
static uint64_t zip_size(const zip_member *member)
{
    return ZIP_LOCAL_BYTES + member->full_length + member->packed;
}

/* Where the bytes of a member begin, once its own header was found to say what the directory says. */
static int zip_start(const zip_archive *zip, const zip_member *member, uint64_t *start)
{
    if (member->offset > zip->directory || zip->directory - member->offset < ZIP_LOCAL_BYTES)
        return zip_damaged(zip, member->at);
    const unsigned char *local = zip->data + member->offset;
    size_t name = hill__bytes_u16(local + 26);
    *start = member->offset + ZIP_LOCAL_BYTES + name + hill__bytes_u16(local + 28);
    if (memcmp(local, "PK\3\4", 4) != 0 || *start > zip->directory || member->packed > zip->directory - *start ||
        hill__bytes_u16(local + 6) != member->flags || hill__bytes_u16(local + 8) != member->method ||
        name != member->full_length || memcmp(local + ZIP_LOCAL_BYTES, member->name, name) != 0)
        return zip_damaged(zip, (size_t)member->offset);
    if ((member->method == 0 && member->packed != member->length) || member->length > SIZE_MAX)
        return zip_damaged(zip, member->at);
    return HILL_OK;
}

/* Meets every entry: there are as many as was said, and their bytes fit before the directory, so none are used again and again. */
static int zip_check(const zip_archive *zip)
{
    zip_member member;
    int more;
    uint64_t seen = 0, left = zip->directory, start = 0;
    for (size_t at = zip->directory; (more = zip_next(zip, &at, &member)) > 0; seen++) {
        HILL__TRY(zip_start(zip, &member, &start));
        if (zip_size(&member) > left)
            return zip_damaged(zip, member.at);
        left -= zip_size(&member);
    }
    if (more == 0 && seen != zip->count)
        return zip_damaged(zip, zip->directory_end);
    return more;
}

/* 1 and the member of that name, 0 where there is none. NULL takes the first. */
static int zip_find(const zip_archive *zip, const char *name, zip_member *out)
{
    zip_member member;
    int found = 0;
    for (size_t at = zip->directory; zip_next(zip, &at, &member) > 0;) {
        if (name ? !zip_is_called(&member, name) : found)
            continue;
        if (found)
            return hill__fail(zip->error, HILL_EDATA, "%s: two of its arrays are called %s, the second at byte %zu", zip->name,
                              name, member.at);
        *out = member;
        found = 1;
    }
    return found;
}

/* A member's name for messages: whatever isn't plain ASCII becomes a question mark. */
static void zip_add_name(hill__text *text, const zip_member *member)
{
    for (size_t i = 0; i < member->name_length && i < ZIP_NAME_SHOWN; i++)
        hill__text_add(text, member->name[i] < ' ' || member->name[i] > '~' ? "?" : &member->name[i], 1);
}

static int zip_no_names(const zip_archive *zip, const char *needed, int status)
{
    hill__text list;
    zip_member member;
    size_t seen = 0;
    hill__text_init(&list, &zip->allocator);
    for (size_t at = zip->directory; seen < ZIP_NAMED && zip_next(zip, &at, &member) > 0; seen++) {
        hill__text_add_string(&list, seen ? ", " : "");
        zip_add_name(&list, &member);
    }
    hill__fail(zip->error, status, "%s: needs %s; its arrays are: %.500s", zip->name, needed,
               seen ? hill__text_string(&list) : "none");
    hill__text_free(&list);
    return status;
}

/* Bytes of a member: within the archive, or unpacked and owned. */
typedef struct zip_content {
    const unsigned char *data;
    size_t length;
    hill__file_bytes own;
} zip_content;

static int zip_unpack(const zip_archive *zip, const zip_member *member, const char *called, zip_content *content)
{
    uint64_t start = 0;
    *content = (zip_content){.length = 0};
    if (member->flags & 1 || (member->method != 0 && member->method != 8))
        return hill__fail(zip->error, HILL_EDATA, "%s: is encrypted or packed in an unusual way (method %u), at byte %zu",
                          called, member->method, member->at);
    (void)zip_start(zip, member, &start); /* it was met before */
    content->data = zip->data + start;
    content->length = (size_t)member->length;
    if (member->method == 8) {
        hill__packed packed = {{content->data, (size_t)member->packed, called}, (size_t)start, zip->limits};
        HILL__TRY(hill__bytes_inflate(&packed, content->length, &zip->allocator, &content->own, zip->error));
        content->data = content->own.data;
    }
    if (hill__bytes_crc(content->data, content->length) == member->crc)
        return HILL_OK;
    hill__bytes_free(&zip->allocator, &content->own);
    return hill__fail(zip->error, HILL_EDATA, "%s: its checksum is wrong, at byte %llu; copy or download the file again",
                      called, (unsigned long long)start);
}

/* A member as a table; `column` names its column where it has one. */
static int zip_table(const zip_archive *zip, const zip_member *member, const char *column, hill_table **out)
{
    hill__text called;
    zip_content content = {.length = 0};
    hill__text_init(&called, &zip->allocator);
    hill__text_add_format(&called, "%.800s: ", zip->name);
    zip_add_name(&called, member);
    *out = NULL;
    int status = called.failed ? hill__fail_memory(zip->error) : zip_unpack(zip, member, called.data, &content);
    if (status == HILL_OK) {
        hill__array array;
        hill_bytes bytes = {content.data, content.length, called.data};
        status = hill__npy_parse(&bytes, &zip->limits, &array, zip->error);
        if (status == HILL_OK && !(*out = hill__table_new(called.data, "npz", &zip->allocator)))
            status = hill__fail_memory(zip->error);
        if (status == HILL_OK)
            status = hill__array_fill(&array, column, *out, zip->error);
        hill__bytes_free(&zip->allocator, &content.own);
    }
    if (status < 0) {
        hill_table_free(*out);
        *out = NULL;
    }
    hill__text_free(&called);
    return status;
}

/* Names that inputs and targets have together, and what the targets' column is called. */
typedef struct zip_pair {
    const char *inputs, *targets, *column;
} zip_pair;

/* Finds inputs and targets of a part; `targets->name` is NULL where there are none. */
static int zip_choose(const zip_archive *zip, hill_part part, zip_member *inputs, zip_member *targets, const char **column)
{
    static const zip_pair test = {"x_test", "y_test", "y"};
    static const zip_pair pairs[] = {
        {"x_train", "y_train", "y"}, {"x", "y", "y"}, {"images", "labels", "label"}, {"data", "target", "target"}};
    size_t choices = part == HILL_PART_TEST ? 1 : sizeof pairs / sizeof *pairs;
    *targets = (zip_member){.name = NULL};
    for (size_t i = 0; i < choices; i++) {
        const zip_pair *pair = part == HILL_PART_TEST ? &test : &pairs[i];
        int found = zip_find(zip, pair->inputs, inputs);
        if (found == 0)
            continue;
        *column = pair->column;
        return found < 0 ? found : zip_find(zip, pair->targets, targets);
    }
    if (part == HILL_PART_TEST)
        return zip_no_names(zip, "x_test for a test part", HILL_EPART);
    return zip->count == 1
               ? zip_find(zip, NULL, inputs)
               : zip_no_names(zip, "one array, or x_train and y_train, x and y, images and labels, or data and target",
                              HILL_EDATA);
}

int hill__zip_read(const hill_bytes *bytes, const hill__reading *reading, hill_table **out, hill_error *error)
{
    zip_archive zip = {.name = bytes->name,
                       .data = bytes->data,
                       .length = bytes->length,
                       .allocator = reading->allocator,
                       .limits = reading->limits,
                       .error = error};
    zip_member inputs, targets;
    const char *column = NULL;
    hill_table *table, *other;
    *out = NULL;
    HILL__TRY(zip_open(&zip));
    HILL__TRY(zip_check(&zip));
    HILL__TRY(zip_choose(&zip, reading->options.part, &inputs, &targets, &column));
    if (targets.name && inputs.offset < targets.offset + zip_size(&targets) &&
        targets.offset < inputs.offset + zip_size(&inputs))
        return zip_damaged(&zip, inputs.offset < targets.offset ? (size_t)targets.offset : (size_t)inputs.offset);
    HILL__TRY(zip_table(&zip, &inputs, NULL, &table));
    int status = HILL_OK;
    if (targets.name && !reading->options.targets) {
        status = zip_table(&zip, &targets, column, &other);
        if (status == HILL_OK)
            status = hill__table_append(table, other, column, error);
        hill_table_free(other);
    }
    if (status < 0)
        hill_table_free(table);
    else
        *out = table;
    return status;
}
