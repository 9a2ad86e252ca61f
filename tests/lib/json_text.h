/*
 * JSON as it is written, without an escape before each quote: JSON({ "a" : [ 1, true ] }) is the string literal
 * "{ \"a\" : [ 1, true ] }", so it may stand in a table, beside another literal and in a printf format. Between
 * the values a line's end and a run of blanks become one blank, and clang-format decides where blanks are: where each
 * byte matters a plain string literal is used. The text may not hold what is no C token outside of its strings (an
 * unbalanced parenthesis or quote, a comment, a # directive), and no \u or \/ in a string.
 */
#ifndef TESTS_JSON_TEXT_H
#define TESTS_JSON_TEXT_H

#define JSON(...) #__VA_ARGS__

#endif
