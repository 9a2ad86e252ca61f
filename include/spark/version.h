/*
 * Versions of Spark: which one an application is submitted for, and which versions brought a rule.
 */
#ifndef SPARK_VERSION_H
#define SPARK_VERSION_H

#include <stdbool.h>

#include "json/json.h"

/* Versions of Spark as version_number() returns them. Those that brought a rule have a name here. */
enum {
	SPARK_3_1 = 301, /* the oldest that can be submitted */
	SPARK_3_2 = 302,
	SPARK_3_3 = 303,
	SPARK_3_4 = 304,
	SPARK_3_5 = 305,
	SPARK_4_0 = 400,
	SPARK_4_1 = 401,
	SPARK_4_2 = 402,
	SPARK_4_3 = 403,
	VERSION_OLDEST = SPARK_3_1,
	/* The newest Spark whose rules are known here. A newer one is taken for it. */
	VERSION_NEWEST = SPARK_4_3
};

enum { VERSION_TEXT_SIZE = 64 }; /* as long as a label's value may be */

/* 3.5.6 and v3.5.6 → 305 (major * 100 + minor); 0 if text does not begin with MAJOR.MINOR. */
int version_number(const char *text);

enum version_source {
	VERSION_OF_FIELD, /* spec.sparkVersion */
	VERSION_OF_IMAGE, /* the start of the tag of the driver's image */
	VERSION_ASSUMED,  /* neither names one that can be submitted: the newest known, if need be of the same major */
};

struct version {
	int number;		      /* at least VERSION_OLDEST; may be above VERSION_NEWEST */
	char text[VERSION_TEXT_SIZE]; /* MAJOR.MINOR…, what labels say; version_number(text) is the number */
	enum version_source source;
	const char *field;    /* the text of spec.sparkVersion, borrowed; "" if there is none */
	bool is_contradicted; /* by the image: the field says another version of Spark, or none */
};

/*
 * The version of Spark that the spec of a SparkApplication is submitted for. Kubeflow's operator reads sparkVersion
 * only where there is a pod template, so in many applications it is a mere label: empty, "3", "2.4.5" of an old
 * template, "3.5.1+vendor". A field that names MAJOR.MINOR from 3.1 on counts; a tag that says more of the same version
 * completes its text. Else the tag of the driver's image counts, if it begins with such a version.
 *
 * default_image: the image of an application that has none; NULL if there is none either.
 *
 * This is for what is about to be submitted. Of a run that was submitted, the label spark-version of its driver pod
 * says the version, whatever became of the spec.
 */
struct version version_of_spec(const struct json *spec, const char *default_image);

/* Why it is not sure that the version is the one of the application's Spark, and what follows: a message for the field
 * spec.sparkVersion. Owned; NULL if there is no doubt. */
char *version_doubt(const struct version *version);

#endif
