// Switches the compiler's instruction set on for the rest of a file, so that one build runs on every x86-64.
//
//   #include ...  // every include comes first: what follows must not reach other files' inline functions
//   HEARTH_TARGET_BEGIN_AVX512
//   ... kernels, and their *_inl.h with names of their own ...
//   HEARTH_TARGET_END
//
// A template or inline function of the standard library that is first instantiated inside such a region could be the
// copy that the linker keeps for everyone, and would crash older CPUs. Inside, use plain loops, intrinsics and
// functions with internal linkage (extrema.h) only.
#pragma once

#include <immintrin.h>

#define HEARTH_PRAGMA(text) _Pragma(#text)

#if defined(__clang__)
#define HEARTH_TARGET_BEGIN(features) \
  HEARTH_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define HEARTH_TARGET_END HEARTH_PRAGMA(clang attribute pop)
#else
#define HEARTH_TARGET_BEGIN(features) HEARTH_PRAGMA(GCC push_options) HEARTH_PRAGMA(GCC target(features))
#define HEARTH_TARGET_END HEARTH_PRAGMA(GCC pop_options)
#endif

#define HEARTH_TARGET_BEGIN_AVX2 HEARTH_TARGET_BEGIN("avx2,fma,f16c,bmi,bmi2,lzcnt")
#define HEARTH_TARGET_BEGIN_AVX512 \
  HEARTH_TARGET_BEGIN("avx2,fma,f16c,bmi,bmi2,lzcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl")
#define HEARTH_TARGET_BEGIN_AVX512BF16                                                       \
  HEARTH_TARGET_BEGIN(                                                                       \
      "avx2,fma,f16c,bmi,bmi2,lzcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi," \
      "avx512bf16")
#define HEARTH_TARGET_BEGIN_AVX_VNNI HEARTH_TARGET_BEGIN("avx2,fma,f16c,bmi,bmi2,lzcnt,avxvnni")
#define HEARTH_TARGET_BEGIN_AVX512_VNNI \
  HEARTH_TARGET_BEGIN("avx2,fma,f16c,bmi,bmi2,lzcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vnni")
