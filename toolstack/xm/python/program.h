/* SPDX-License-Identifier: MIT */
/*
 * The text of the Python program that evaluates a domain's file: hints.py, values.py and
 * evaluate.py.
 */
#ifndef XM_PYTHON_PROGRAM_H
#define XM_PYTHON_PROGRAM_H

extern const char python_program[];

#endif
