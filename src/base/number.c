/*
 * number.c - decimal text to binary numbers and back. Invariant: what is written reads back as the same bits, and what is read
 * is the value nearest to the decimal, whatever its length and whatever the locale.
 *
 * Reading has three roads. Few digits and a small power of ten: one multiplication or division of exact numbers. Up to 19
 * digits and a power within 27: a 64-bit quotient with a sticky bit. Else: long division of big integers.
 */
#include "base/fp.h"

#include "base/number.h"

#include <stdio.h>
#include <string.h>

/* Digits that fit into 64 bits. */
#define NUMBER_DIGITS 19

/* No halfway point between two doubles has more significant digits than 767; a digit behind so many is only sticky. */
#define NUMBER_BIG_DIGITS 800

/* 10^801 and 5^1131 take less than 2,700 bits. */
#define NUMBER_BIG_WORDS 96

/* Values of 10^310 and more are infinite, those under 10^-330 zero, in both formats. */
#define NUMBER_POINT_MAX 310
#define NUMBER_POINT_MIN (-330)

/* Exponents are not followed further than this: it exceeds the length of any text in memory. */
#define NUMBER_EXPONENT_CAP ((int64_t)1 << 60)

/* A binary format: bits of its significand, exponent of its smallest unit, the biased exponent that means infinity. */
typedef struct number_format {
    int bits;
    int64_t unit;
    uint64_t infinite;
} number_format;

static const number_format number_double = {53, -1074, 2047};
static const number_format number_float = {24, -149, 255};

/* A decimal as scanned: its value is 0.DIGITS x 10^point, where `head` holds the first of the digits. */
typedef struct number_decimal {
    bool negative;
    const char *text; /* first significant digit */
    const char *end;  /* behind the last digit or point */
    uint64_t head;
    int count; /* digits in head */
    bool more; /* a digit that isn't 0 follows those in head */
    int64_t point;
} number_decimal;

typedef struct number_big {
    size_t count; /* the highest word isn't 0 */
    uint32_t words[NUMBER_BIG_WORDS];
} number_big;

static const uint64_t number_fives[28] = {1u,
                                          5u,
                                          25u,
                                          125u,
                                          625u,
                                          3125u,
                                          15625u,
                                          78125u,
                                          390625u,
                                          1953125u,
                                          9765625u,
                                          48828125u,
                                          244140625u,
                                          1220703125u,
                                          6103515625u,
                                          30517578125u,
                                          152587890625u,
                                          762939453125u,
                                          3814697265625u,
                                          19073486328125u,
                                          95367431640625u,
                                          476837158203125u,
                                          2384185791015625u,
                                          11920928955078125u,
                                          59604644775390625u,
                                          298023223876953125u,
                                          1490116119384765625u,
                                          7450580596923828125u};

static const double number_tens[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static const float number_tens_float[11] = {1e0f, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f, 1e6f, 1e7f, 1e8f, 1e9f, 1e10f};

static bool number_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Is text[0..length-1] the lower-case `word`, in any case? */
static bool number_is_word(const char *text, size_t length, const char *word)
{
    for (size_t i = 0; i < length; i++)
        if (word[i] == '\0' || (text[i] != word[i] && text[i] != word[i] - 'a' + 'A'))
            return false;
    return word[length] == '\0';
}

/* The exponent behind an 'e'; false where it is malformed. */
static bool number_scan_exponent(const char *p, const char *end, int64_t *out)
{
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end)
        return false;
    int64_t value = 0;
    for (; p < end; p++) {
        if (!number_is_digit(*p))
            return false;
        if (value < NUMBER_EXPONENT_CAP / 10)
            value = value * 10 + (*p - '0');
    }
    *out = negative ? -value : value;
    return true;
}

/* The digits from p on; returns where they end, NULL where there are none. */
static const char *number_scan_digits(const char *p, const char *end, number_decimal *out)
{
    bool any = false, point = false;
    uint64_t head = 0;
    for (; p < end; p++) {
        if (*p == '.' && !point) {
            point = true;
            continue;
        }
        unsigned digit = (unsigned)(unsigned char)*p - '0';
        if (digit > 9)
            break;
        any = true;
        if (head == 0 && digit == 0) {
            out->point -= point;
            continue;
        }
        if (out->count == 0)
            out->text = p;
        out->point += !point;
        if (out->count < NUMBER_DIGITS) {
            head = head * 10 + digit;
            out->count++;
        } else {
            out->more |= digit != 0;
        }
    }
    out->head = head;
    out->end = p;
    return any ? p : NULL;
}

/* NONE, or INFINITE for the words, or FINITE with *out filled. */
static hill__number_kind number_scan(const char *text, size_t length, number_decimal *out)
{
    const char *p = text, *end = text + length;
    *out = (number_decimal){.negative = length > 0 && *p == '-'};
    if (length > 0 && (*p == '-' || *p == '+'))
        p++;
    const char *behind = number_scan_digits(p, end, out);
    if (!behind) {
        size_t rest = (size_t)(end - p);
        bool infinite = number_is_word(p, rest, "inf") || number_is_word(p, rest, "infinity");
        return infinite ? HILL__NUMBER_INFINITE : HILL__NUMBER_NONE;
    }
    if (behind == end)
        return HILL__NUMBER_FINITE;
    int64_t exponent;
    if ((*behind != 'e' && *behind != 'E') || !number_scan_exponent(behind + 1, end, &exponent))
        return HILL__NUMBER_NONE;
    out->point += exponent;
    return HILL__NUMBER_FINITE;
}

static int number_top_bit(uint64_t value)
{
    int bit = 0;
    for (int step = 32; step > 0; step /= 2)
        if (value >> step) {
            value >>= step;
            bit += step;
        }
    return bit;
}

/*
 * The bits, without sign, of the number nearest to (q + s) x 2^exponent, where q has its top bit set and s lies strictly
 * between 0 and 1 if sticky, else is 0. Ties go to even.
 */
static uint64_t number_round(uint64_t q, int64_t exponent, bool sticky, const number_format *format)
{
    int64_t drop = 64 - format->bits;
    if (exponent + drop < format->unit)
        drop = format->unit - exponent;
    if (drop > 64)
        return 0;
    uint64_t kept = drop == 64 ? 0 : q >> drop;
    uint64_t rest = drop == 64 ? q : q & (((uint64_t)1 << drop) - 1);
    uint64_t half = (uint64_t)1 << (drop - 1);
    if (rest > half || (rest == half && (sticky || (kept & 1))))
        kept++;
    uint64_t hidden = (uint64_t)1 << (format->bits - 1);
    if (kept < hidden)
        return kept;
    uint64_t biased = (uint64_t)(exponent + drop - format->unit + 1);
    if (biased >= format->infinite)
        return format->infinite << (format->bits - 1);
    return (biased << (format->bits - 1)) + (kept - hidden);
}

static uint64_t number_multiply(uint64_t digits, int power, const number_format *format)
{
    uint64_t five = number_fives[power];
    uint64_t a = digits >> 32, b = digits & 0xffffffffu, c = five >> 32, d = five & 0xffffffffu;
    uint64_t low = b * d, middle = a * d + (low >> 32), cross = b * c + (middle & 0xffffffffu);
    uint64_t high = a * c + (middle >> 32) + (cross >> 32);
    low = (cross << 32) | (low & 0xffffffffu);
    if (high == 0) {
        int shift = 63 - number_top_bit(low);
        return number_round(low << shift, power - shift, false, format);
    }
    int shift = 63 - number_top_bit(high); /* at least 1: a power of five here is below 2^63 */
    high = (high << shift) | (low >> (64 - shift));
    return number_round(high, power + 64 - shift, low << shift != 0, format);
}

static uint64_t number_divide(uint64_t digits, int power, const number_format *format)
{
    int up = 63 - number_top_bit(digits), down = 63 - number_top_bit(number_fives[power]);
    uint64_t rest = digits << up, divisor = number_fives[power] << down, q = 0;
    int bits = 64;
    if (rest >= divisor) {
        rest -= divisor;
        q = 1;
        bits = 63;
    }
    for (int i = 0; i < bits; i++) {
        bool carry = rest >> 63;
        rest <<= 1;
        bool fits = carry || rest >= divisor;
        rest -= fits ? divisor : 0;
        q = (q << 1) | fits;
    }
    return number_round(q, -bits + down - up - power, rest != 0, format);
}

/* big = big * factor + plus. */
static void number_big_grow(number_big *big, uint32_t factor, uint32_t plus)
{
    uint64_t carry = plus;
    for (size_t i = 0; i < big->count; i++) {
        carry += (uint64_t)big->words[i] * factor;
        big->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        big->words[big->count++] = (uint32_t)carry;
}

static void number_big_fives(number_big *big, int64_t power)
{
    for (; power >= 13; power -= 13)
        number_big_grow(big, (uint32_t)number_fives[13], 0);
    number_big_grow(big, (uint32_t)number_fives[power], 0);
}

static int64_t number_big_bits(const number_big *big)
{
    return (int64_t)(big->count - 1) * 32 + number_top_bit(big->words[big->count - 1]) + 1;
}

static void number_big_shift(number_big *big, int64_t bits)
{
    size_t words = (size_t)bits / 32;
    number_big_grow(big, (uint32_t)1 << (bits % 32), 0);
    if (words == 0)
        return;
    memmove(big->words + words, big->words, big->count * sizeof *big->words);
    memset(big->words, 0, words * sizeof *big->words);
    big->count += words;
}

static bool number_big_less(const number_big *a, const number_big *b)
{
    if (a->count != b->count)
        return a->count < b->count;
    for (size_t i = a->count; i-- > 0;)
        if (a->words[i] != b->words[i])
            return a->words[i] < b->words[i];
    return false;
}

/* a -= b, which isn't larger. */
static void number_big_subtract(number_big *a, const number_big *b)
{
    uint64_t borrow = 0;
    for (size_t i = 0; i < a->count; i++) {
        uint64_t minus = borrow + (i < b->count ? b->words[i] : 0);
        borrow = a->words[i] < minus;
        a->words[i] = (uint32_t)(a->words[i] - minus);
    }
    while (a->count > 0 && a->words[a->count - 1] == 0)
        a->count--;
}

/* The digits as one integer; returns how many there are. */
static int64_t number_big_read(number_big *big, const number_decimal *decimal)
{
    int64_t count = 0;
    bool more = false;
    *big = (number_big){.count = 0};
    for (const char *p = decimal->text; p < decimal->end; p++) {
        if (*p == '.')
            continue;
        if (count < NUMBER_BIG_DIGITS) {
            number_big_grow(big, 10, (uint32_t)(*p - '0'));
            count++;
        } else {
            more |= *p != '0';
        }
    }
    if (!more)
        return count;
    number_big_grow(big, 10, 1);
    return count + 1;
}

static uint64_t number_convert_big(const number_decimal *decimal, const number_format *format)
{
    number_big number, divisor = {.count = 1, .words = {1}};
    int64_t power = decimal->point - number_big_read(&number, decimal);
    number_big_fives(power < 0 ? &divisor : &number, power < 0 ? -power : power);
    int64_t shift = number_big_bits(&divisor) - number_big_bits(&number);
    number_big_shift(shift < 0 ? &divisor : &number, shift < 0 ? -shift : shift);
    if (number_big_less(&number, &divisor)) {
        number_big_shift(&number, 1);
        shift++;
    }
    uint64_t q = 0;
    for (int i = 0; i < 64; i++) {
        bool fits = !number_big_less(&number, &divisor);
        if (fits)
            number_big_subtract(&number, &divisor);
        q = (q << 1) | fits;
        number_big_grow(&number, 2, 0);
    }
    return number_round(q, power - shift - 63, number.count > 0, format);
}

/* The bits, without sign, of the number nearest to the decimal. */
static uint64_t number_convert(const number_decimal *decimal, const number_format *format)
{
    if (decimal->count == 0 || decimal->point < NUMBER_POINT_MIN)
        return 0;
    if (decimal->point > NUMBER_POINT_MAX)
        return format->infinite << (format->bits - 1);
    int power = (int)decimal->point - decimal->count;
    if (power < -27 || power > 27)
        return number_convert_big(decimal, format);
    uint64_t (*convert)(uint64_t, int, const number_format *) = power < 0 ? number_divide : number_multiply;
    power = power < 0 ? -power : power;
    uint64_t bits = convert(decimal->head, power, format);
    if (decimal->more && convert(decimal->head + 1, power, format) != bits)
        return number_convert_big(decimal, format);
    return bits;
}

hill__number_kind hill__parse_double(const char *text, size_t length, double *value)
{
    number_decimal decimal;
    hill__number_kind kind = number_scan(text, length, &decimal);
    if (kind == HILL__NUMBER_NONE)
        return kind;
    int64_t power = decimal.point - decimal.count;
    if (kind == HILL__NUMBER_FINITE && !decimal.more && decimal.head <= (uint64_t)1 << 53 && power >= -22 && power <= 22) {
        double number = (double)decimal.head;
        number = power < 0 ? number / number_tens[-power] : number * number_tens[power];
        *value = decimal.negative ? -number : number;
        return kind;
    }
    uint64_t bits = number_double.infinite << 52;
    if (kind == HILL__NUMBER_FINITE)
        bits = number_convert(&decimal, &number_double);
    if (bits == number_double.infinite << 52)
        kind = HILL__NUMBER_INFINITE;
    bits |= (uint64_t)decimal.negative << 63;
    memcpy(value, &bits, sizeof bits);
    return kind;
}

hill__number_kind hill__parse_float(const char *text, size_t length, float *value)
{
    number_decimal decimal;
    hill__number_kind kind = number_scan(text, length, &decimal);
    if (kind == HILL__NUMBER_NONE)
        return kind;
    int64_t power = decimal.point - decimal.count;
    if (kind == HILL__NUMBER_FINITE && !decimal.more && decimal.head <= (uint64_t)1 << 24 && power >= -10 && power <= 10) {
        float number = (float)decimal.head;
        number = power < 0 ? number / number_tens_float[-power] : number * number_tens_float[power];
        *value = decimal.negative ? -number : number;
        return kind;
    }
    uint64_t bits = number_float.infinite << 23;
    if (kind == HILL__NUMBER_FINITE)
        bits = number_convert(&decimal, &number_float);
    if (bits == number_float.infinite << 23)
        kind = HILL__NUMBER_INFINITE;
    uint32_t word = (uint32_t)bits | (uint32_t)decimal.negative << 31;
    memcpy(value, &word, sizeof word);
    return kind;
}

bool hill__parse_unsigned(const char *text, size_t length, uint64_t *value)
{
    uint64_t number = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(unsigned char)text[i] - '0';
        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    if (length > 0)
        *value = number;
    return length > 0;
}

/* Decimal digits of a number that is finite and not 0, without sign: value = D.DDD x 10^exponent. */
typedef struct number_digits {
    char digits[20];
    int count;
    int exponent;
} number_digits;

/* The C library rounds right but writes the locale's decimal point, so only its digits are taken. */
static void number_take_digits(double value, int count, number_digits *out)
{
    char text[64];
    *out = (number_digits){.count = 0};
    if (snprintf(text, sizeof text, "%.*e", count - 1, value) < 0)
        return;
    const char *p = text;
    for (; *p != 'e'; p++)
        if (number_is_digit(*p))
            out->digits[out->count++] = *p;
    int64_t exponent = 0;
    (void)number_scan_exponent(p + 1, p + strlen(p), &exponent);
    out->exponent = (int)exponent;
}

/* The next larger number of as many digits. */
static void number_next_digits(number_digits *number)
{
    int i = number->count;
    while (i > 0 && number->digits[i - 1] == '9')
        number->digits[--i] = '0';
    if (i > 0) {
        number->digits[i - 1]++;
    } else {
        number->digits[0] = '1';
        number->exponent++;
    }
}

/* Fixed or scientific notation, trailing zeros cut off; returns the length. */
static size_t number_write(number_digits *number, bool negative, char *text)
{
    char *p = text;
    while (number->count > 1 && number->digits[number->count - 1] == '0')
        number->count--;
    if (negative)
        *p++ = '-';
    bool fixed = number->exponent >= -5 && number->exponent <= 16;
    int point = fixed ? number->exponent + 1 : 1;
    if (point <= 0)
        *p++ = '0';
    for (int i = point < 0 ? point : 0; i < number->count || i < point; i++) {
        if (i == point)
            *p++ = '.';
        *p++ = i >= 0 && i < number->count ? number->digits[i] : '0';
    }
    if (!fixed) {
        int exponent = number->exponent < 0 ? -number->exponent : number->exponent;
        *p++ = 'e';
        *p++ = number->exponent < 0 ? '-' : '+';
        if (exponent >= 100)
            *p++ = (char)('0' + exponent / 100);
        *p++ = (char)('0' + exponent / 10 % 10);
        *p++ = (char)('0' + exponent % 10);
    }
    *p = '\0';
    return (size_t)(p - text);
}

/* "nan", "inf", "-inf", "0", "-0"; 0 for any other number. */
static size_t number_write_special(double value, char *text)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const char *sign = bits >> 63 ? "-" : "", *word = "0";
    if (value != value) {
        sign = "";
        word = "nan";
    } else if (value > DBL_MAX || value < -DBL_MAX) {
        word = "inf";
    } else if (value != 0) {
        return 0;
    }
    strcpy(text, sign);
    strcat(text, word);
    return strlen(text);
}

static bool number_is_double(const char *text, size_t length, double value)
{
    double back;
    return hill__parse_double(text, length, &back) == HILL__NUMBER_FINITE && back == value;
}

static bool number_is_float(const char *text, size_t length, double value)
{
    float back;
    return hill__parse_float(text, length, &back) == HILL__NUMBER_FINITE && (double)back == value;
}

/*
 * The fewest digits, from `first` on, that `same` recognises. The nearest decimal of so many digits is the only candidate but
 * for powers of two, whose upper neighbour is twice as far as the lower: there the next decimal may do where the nearest won't.
 */
static size_t number_shortest(double value, int first, int last, bool (*same)(const char *, size_t, double), char *text)
{
    size_t length = number_write_special(value, text);
    if (length)
        return length;
    bool negative = value < 0;
    for (int count = first;; count++) {
        number_digits number, next;
        number_take_digits(negative ? -value : value, count, &number);
        next = number;
        length = number_write(&number, negative, text);
        if (count >= last || same(text, length, value))
            return length;
        number_next_digits(&next);
        length = number_write(&next, negative, text);
        if (same(text, length, value))
            return length;
    }
}

/* A decimal of 15 (6) digits survives a normal double (float), so fewer need not be tried: their zeros are cut off. */
size_t hill__format_double(double value, char *text)
{
    bool normal = value >= DBL_MIN || value <= -DBL_MIN;
    return number_shortest(value, normal ? 15 : 1, 17, number_is_double, text);
}

size_t hill__format_float(float value, char *text)
{
    bool normal = value >= FLT_MIN || value <= -FLT_MIN;
    return number_shortest((double)value, normal ? 6 : 1, 9, number_is_float, text);
}

size_t hill__format_rounded(double value, int digits, char *text)
{
    size_t length = number_write_special(value, text);
    if (length)
        return length;
    number_digits number;
    digits = digits < 1 ? 1 : digits > 17 ? 17 : digits;
    number_take_digits(value < 0 ? -value : value, digits, &number);
    return number_write(&number, value < 0, text);
}
