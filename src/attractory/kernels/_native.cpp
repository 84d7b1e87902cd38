// The rate recurrence over a whole sequence, forward and backward, for XLA's foreign function
// interface. _native.py compiles this file on the machine where it runs.
//
//   a(t)  = W h(t-1) + W_in x(t) + drive(t)        h(t) = (1 - leak) h(t-1) + leak phi(a(t))
//   z(t)  = W_out h(t)
//
// Three ideas make it fast.
// 1. The weights are packed once for the whole sequence into panels that the vector registers read
//    in order, and stay in the core's cache while time goes on.
// 2. State and input stand side by side in one row, [h | x], and so do the gradients [e | dz] with
//    e = dLoss/da: one product a step, W_in and W_out included.
// 3. The gradients of all three matrices are one product, sum over time of [e | dz]' [h | x], made
//    for a few hundred (time, trial) rows at a time, so that its operands are still in the cache.
// Each thread takes whole networks, or a part of the trials of one, for the whole sequence.
//
// A batch may come in shards, [shard][time][trial][...] with one network for all of them: they go
// through time together, but the gradients of the weights are summed for each shard by itself. No
// number depends on which shards are together in a call, or on how many threads share the work: a
// trial's sums run over units in order, and those of a gradient over a fixed piece of the trials.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "xla/ffi/api/ffi.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace ffi = xla::ffi;

namespace {

// ---- vectors ----------------------------------------------------------------------------------

#if defined(__AVX512F__)
constexpr int64_t kLanes = 16, kRows = 8, kVectors = 3;  // 24 of 32 registers hold sums
#elif defined(__AVX__)
constexpr int64_t kLanes = 8, kRows = 6, kVectors = 2;  // 12 of 16
#else
constexpr int64_t kLanes = 4, kRows = 8, kVectors = 3;  // NEON: 24 of 32
#endif
constexpr int64_t kRowsOfProduct = 256;  // rows that the weights' gradient takes at a time
// Trials of several pieces that go through time together: more of them no longer make better use of
// the weights in the cache, but have more sums of gradients there.
constexpr int64_t kTogether = 32;

typedef float Vector __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef int32_t Integers __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));

inline Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
inline void store(float* to, Vector v) { *reinterpret_cast<Vector*>(to) = v; }
inline Vector all(float x) { return x - Vector{}; }  // x - 0 is x: compiled to a broadcast

// For rows of a few to a few hundred numbers: a call of memcpy for each would take longer.
inline void copy(const float* from, int64_t n, float* to) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(to + i, load(from + i));
  for (; i < n; ++i) to[i] = from[i];
}

int64_t padded(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// Memory of one thread: aligned, zero at first.
struct Floats {
  explicit Floats(int64_t n)
      : data(static_cast<float*>(std::aligned_alloc(64, padded(n * 4 + 64, 64)))) {
    std::memset(data, 0, n * 4);
  }
  ~Floats() { std::free(data); }
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;
  operator float*() const { return data; }
  float* data;
};

// ---- two kinds of product ---------------------------------------------------------------------
// Both read 32-bit words: a float, or a pair of bfloat16 numbers that stand next to each other along
// the axis of summation.

struct Float32 {
  static constexpr int64_t kNumbers = 1;  // in a word
  static Vector multiply_add(Vector sum, float a, Vector b) { return sum + all(a) * b; }
};

inline uint32_t rounded_to_bfloat16(float x) {  // to the nearest, ties to even; NaN stays NaN
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if (x != x) return (bits >> 16) | 0x40;
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}
inline float pair_word(float first, float second) {
  const uint32_t bits = rounded_to_bfloat16(first) | rounded_to_bfloat16(second) << 16;
  float word;
  std::memcpy(&word, &bits, 4);
  return word;
}

#if defined(__AVX512BF16__)
struct BFloat16 {
  static constexpr int64_t kNumbers = 2;
  static Vector multiply_add(Vector sum, float a, Vector b) {
    return reinterpret_cast<Vector>(_mm512_dpbf16_ps(
        reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(all(a)),
        reinterpret_cast<__m512bh>(b)));
  }
};
#endif

// sums[r][v] += a(r, k) * panel[k][v] over k words: the innermost loop of everything.
// a(r, k) = a[r * row_stride + k * kWordStride].
template <class Number, int kR, int kV, int kWordStride>
void tile(int64_t words, const float* a, int64_t row_stride, const float* panel, float* sums,
          int64_t sums_stride) {
  Vector total[kR][kV];
#pragma GCC unroll 8
  for (int r = 0; r < kR; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) total[r][v] = load(sums + r * sums_stride + v * kLanes);
  for (int64_t k = 0; k < words; ++k) {
    Vector b[kV];
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) b[v] = load(panel + (k * kV + v) * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kR; ++r) {
      const float word = a[r * row_stride + k * kWordStride];
#pragma GCC unroll 8
      for (int v = 0; v < kV; ++v) total[r][v] = Number::multiply_add(total[r][v], word, b[v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kR; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) store(sums + r * sums_stride + v * kLanes, total[r][v]);
}

template <class Number, int kV>
void rows_times_panel(int64_t rows, int64_t words, const float* a, int64_t stride,
                      const float* panel, float* sums, int64_t sums_stride) {
  int64_t r = 0;
  for (; r + kRows <= rows; r += kRows)
    tile<Number, kRows, kV, 1>(words, a + r * stride, stride, panel, sums + r * sums_stride,
                               sums_stride);
  for (; r + 4 <= rows; r += 4)
    tile<Number, 4, kV, 1>(words, a + r * stride, stride, panel, sums + r * sums_stride,
                           sums_stride);
  for (; r + 2 <= rows; r += 2)
    tile<Number, 2, kV, 1>(words, a + r * stride, stride, panel, sums + r * sums_stride,
                           sums_stride);
  if (r < rows)
    tile<Number, 1, kV, 1>(words, a + r * stride, stride, panel, sums + r * sums_stride,
                           sums_stride);
}

// How a matrix's columns are cut into panels of at most kVectors vectors, as even as can be.
struct Panels {
  explicit Panels(int64_t columns) : vectors(padded(columns, kLanes) / kLanes) {
    const int64_t count = (vectors + kVectors - 1) / kVectors;
    for (int64_t p = 0; p <= count; ++p) begin.push_back(p * vectors / count);
  }
  int64_t width() const { return vectors * kLanes; }
  int64_t vectors;
  std::vector<int64_t> begin;  // in vectors
};

// sums (rows, width) += a (rows, words) * packed (words, width)
template <class Number>
void product(int64_t rows, int64_t words, const float* a, int64_t stride, const Panels& panels,
             const float* packed, float* sums) {
  for (size_t p = 0; p + 1 < panels.begin.size(); ++p) {
    const int64_t first = panels.begin[p], vectors = panels.begin[p + 1] - first;
    const float* panel = packed + first * kLanes * words;
    float* to = sums + first * kLanes;
    if (vectors == 3)
      rows_times_panel<Number, 3>(rows, words, a, stride, panel, to, panels.width());
    else if (vectors == 2)
      rows_times_panel<Number, 2>(rows, words, a, stride, panel, to, panels.width());
    else
      rows_times_panel<Number, 1>(rows, words, a, stride, panel, to, panels.width());
  }
}

// sums (left, width) += sum over words of left[word]' right[word]; left is packed in tiles of kRows
// columns, right in panels, both with room for `capacity` words.
template <class Number>
void outer_product(int64_t tiles, int64_t words, int64_t capacity, const float* left,
                   const Panels& panels, const float* right, float* sums) {
  const int64_t width = panels.width();
  for (size_t p = 0; p + 1 < panels.begin.size(); ++p) {
    const int64_t first = panels.begin[p], vectors = panels.begin[p + 1] - first;
    const float* panel = right + first * kLanes * capacity;
    for (int64_t i = 0; i < tiles; ++i) {
      const float* a = left + i * kRows * capacity;
      float* to = sums + i * kRows * width + first * kLanes;
      if (vectors == 3)
        tile<Number, kRows, 3, kRows>(words, a, 1, panel, to, width);
      else if (vectors == 2)
        tile<Number, kRows, 2, kRows>(words, a, 1, panel, to, width);
      else
        tile<Number, kRows, 1, kRows>(words, a, 1, panel, to, width);
    }
  }
}

template <class Number>
int64_t words_of(int64_t numbers) {
  return (numbers + Number::kNumbers - 1) / Number::kNumbers;
}

// A matrix given as at(k, column) goes into panels: [panel][word][column in panel].
template <class Number, class At>
void pack(int64_t numbers, int64_t columns, const Panels& panels, float* packed, At at) {
  const int64_t words = words_of<Number>(numbers);
  for (size_t p = 0; p + 1 < panels.begin.size(); ++p) {
    const int64_t first = panels.begin[p] * kLanes;
    const int64_t width = panels.begin[p + 1] * kLanes - first;
    float* to = packed + first * words;
    for (int64_t c = 0; c < std::min(width, columns - first); ++c)
      for (int64_t w = 0; w < words; ++w) {
        if constexpr (Number::kNumbers == 1) {
          to[w * width + c] = at(w, first + c);
        } else {
          const float second = 2 * w + 1 < numbers ? at(2 * w + 1, first + c) : 0.0f;
          to[w * width + c] = pair_word(at(2 * w, first + c), second);
        }
      }
  }
}

// One word for each column out of the next rows (one, or two for pairs) of a row-major block.
template <class Number>
inline Vector row_words(const float* row, int64_t stride) {
  if constexpr (Number::kNumbers == 1) {
    return load(row);
  } else {
#if defined(__AVX512BF16__)
    const __m512bh both = _mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(load(row + stride)),
                                              reinterpret_cast<__m512>(load(row)));
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9,
                                           24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1,
                                           16, 0);
    return reinterpret_cast<Vector>(
        _mm512_permutexvar_epi16(order, reinterpret_cast<__m512i>(both)));
#endif
  }
}

// rows (numbers, stride), numbers even for pairs, into panels of `capacity` words that run along the
// rows, from word `at` on.
template <class Number>
void pack_rows(int64_t numbers, const float* rows, int64_t stride, const Panels& panels,
               float* packed, int64_t at, int64_t capacity) {
  for (size_t p = 0; p + 1 < panels.begin.size(); ++p) {
    const int64_t first = panels.begin[p] * kLanes;
    const int64_t width = panels.begin[p + 1] * kLanes - first;
    float* to = packed + first * capacity + at * width;
    for (int64_t w = 0; w < numbers / Number::kNumbers; ++w, to += width)
      for (int64_t c = 0; c < width; c += kLanes)
        store(to + c, row_words<Number>(rows + w * Number::kNumbers * stride + first + c, stride));
  }
}

// The same into tiles of kRows columns.
template <class Number>
void pack_tiles(int64_t numbers, const float* rows, int64_t stride, int64_t tiles, float* packed,
                int64_t at, int64_t capacity) {
  for (int64_t w = 0; w < numbers / Number::kNumbers; ++w) {
    const float* row = rows + w * Number::kNumbers * stride;
    float* to = packed + (at + w) * kRows;
    alignas(64) float line[kLanes * kRows];  // ends where a vector and a tile end
    for (int64_t tile = 0; tile < tiles; tile += kLanes) {
      const int64_t here = std::min(kLanes, tiles - tile);
      for (int64_t c = 0; c < here * kRows; c += kLanes)
        store(line + c, row_words<Number>(row + tile * kRows + c, stride));
      for (int64_t i = 0; i < here; ++i)
        std::memcpy(to + (tile + i) * kRows * capacity, line + i * kRows, kRows * 4);
    }
  }
}

// Rows of numbers as words along each row: for floats the rows themselves.
template <class Number>
struct Operand {
  Operand(int64_t rows, int64_t row_stride)
      : rows(rows),
        row_stride(row_stride),
        stride(row_stride / Number::kNumbers),
        converted(Number::kNumbers == 1 ? 0 : rows * stride) {}
  const float* of(const float* numbers_in_rows, int64_t numbers) const {
    if constexpr (Number::kNumbers == 1) return numbers_in_rows;
#if defined(__AVX512BF16__)
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < numbers; c += 2 * kLanes) {  // rows are padded to 32 numbers
        const float* from = numbers_in_rows + r * row_stride + c;
        const __m512bh words = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + kLanes),
                                                   _mm512_loadu_ps(from));
        _mm512_storeu_si512(converted + r * stride + c / 2, reinterpret_cast<__m512i>(words));
      }
#endif
    (void)numbers;
    return converted;
  }
  int64_t rows, row_stride, stride;
  Floats converted;
};

// ---- activations ------------------------------------------------------------------------------
// Each gives phi(a), and phi'(a) as a function of r = phi(a). NaN goes through.

inline Vector clamp(Vector x, float low, float high) {
  x = x < all(low) ? all(low) : x;
  return x > all(high) ? all(high) : x;
}

inline Vector exponential(Vector x) {  // 2^n times a Taylor sum on |rest| <= ln 2 / 2
  x = clamp(x, -87.0f, 87.0f);
  const Vector shifted = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: rounds to an integer
  const Vector n = shifted - 12582912.0f;
  const Vector rest = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Vector sum = all(1.0f / 5040);
  for (float c : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f})
    sum = sum * rest + c;
  const Integers power = (__builtin_convertvector(n, Integers) + 127) << 23;
  return sum * reinterpret_cast<Vector>(power);
}

struct Tanh {  // a rational function of x^2, relative error 6e-9 before rounding
  static Vector rate(Vector a) {
    const Vector x = clamp(a, -7.95f, 7.95f);  // where tanh is 1 to the last bit but one
    const Vector u = x * x;
    Vector top = all(1.53287623e-08f), bottom = all(8.56049837e-07f);
    for (float c : {2.19588292e-05f, 3.57529265e-03f, 1.34475589e-01f, 1.0f}) top = top * u + c;
    for (float c : {3.41746403e-04f, 2.61783358e-02f, 4.67808862e-01f, 1.0f}) bottom = bottom * u + c;
    return x * top / bottom;
  }
  static Vector slope(Vector r) { return 1.0f - r * r; }
};
struct Sigmoid {
  static Vector rate(Vector a) { return 1.0f / (1.0f + exponential(-a)); }
  static Vector slope(Vector r) { return r * (1.0f - r); }
};
struct Relu {
  static Vector rate(Vector a) { return a < 0.0f ? all(0.0f) : a; }
  static Vector slope(Vector r) { return r > 0.0f ? all(1.0f) : all(0.0f); }
};
struct Linear {
  static Vector rate(Vector a) { return a; }
  static Vector slope(Vector) { return all(1.0f); }
};
struct Softplus {
  static Vector rate(Vector a) {  // max(a, 0) + log(1 + y), y = exp(-|a|), log by atanh's series
    const Vector y = exponential(a < 0.0f ? a : -a);
    const Vector s = y / (2.0f + y), u = s * s;
    Vector sum = all(1.0f / 13);
    for (float c : {1.0f / 11, 1.0f / 9, 1.0f / 7, 1.0f / 5, 1.0f / 3, 1.0f}) sum = sum * u + c;
    return (a < 0.0f ? all(0.0f) : a) + 2.0f * s * sum;
  }
  static Vector slope(Vector r) {  // 1 - exp(-r)
    const Vector small = r * (1.0f - r * (0.5f - r * (1.0f / 6 - r * (1.0f / 24))));
    return r < 0.06f ? small : 1.0f - exponential(-r);
  }
};

// ---- one part of a network's trials, through all of time ---------------------------------------

// A network, or none of a thing (a null pointer): rows are [shard][time][trial][...].
struct Sequence {
  int64_t shards, steps, trials, units, inputs, outputs;  // trials: of one shard
  float leak;
  int64_t window;  // backward: steps through which gradients go back; 0: all of them
  const float *recurrent, *input, *output;  // weights, [to, from]
  const float *x, *drive, *start;           // drive may be null
  float *states, *rates, *z, *sizes;        // forward: all but z may be null
  // backward: the first or the last is null, or both
  const float *state_gradients, *output_gradients, *size_gradients;
  float *d_recurrent, *d_input, *d_output;  // [shard][...]
  float *d_x, *d_drive, *d_start;           // d_drive may be null

  int64_t all_trials() const { return shards * trials; }
  // The row [shard][time 0][trial] of a trial, counted over all shards; later times follow it by
  // `trials` each.
  int64_t row_of(int64_t trial) const { return trial / trials * steps * trials + trial % trials; }
};

// Where the trials begin .. end - 1 stand.
std::vector<int64_t> rows_of(const Sequence& s, int64_t begin, int64_t end) {
  std::vector<int64_t> found;
  for (int64_t trial = begin; trial < end; ++trial) found.push_back(s.row_of(trial));
  return found;
}

// The sum of a vector's numbers.
inline float total(Vector v) {
  typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));
  const float* lanes = reinterpret_cast<const float*>(&v);
  Four sum = *reinterpret_cast<const Four*>(lanes);
  for (int64_t lane = 4; lane < kLanes; lane += 4)
    sum += *reinterpret_cast<const Four*>(lanes + lane);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// Few long dot products with one row (readout, gradient of the input): to[i] = <row, vectors[i]>;
// vectors (count rounded up to 4, width).
void dots(int64_t count, int64_t width, const float* row, const float* vectors, float* to) {
  for (int64_t o = 0; o < count; o += 4) {
    Vector sums[4] = {};
    for (int64_t c = 0; c < width; c += kLanes) {
      const Vector x = load(row + c);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) sums[i] += x * load(vectors + (o + i) * width + c);
    }
    for (int64_t i = 0; i < std::min<int64_t>(4, count - o); ++i) to[o + i] = total(sums[i]);
  }
}

// How large a state is, in two numbers: the sums over units of |h| and of h^2.
void sizes_of(int64_t units, const float* h, float* to) {
  Vector absolutes{}, squares{};
  int64_t n = 0;
  for (; n + kLanes <= units; n += kLanes) {
    const Vector x = load(h + n);
    absolutes += x < 0.0f ? -x : x;
    squares += x * x;
  }
  to[0] = total(absolutes), to[1] = total(squares);
  for (; n < units; ++n) to[0] += std::abs(h[n]), to[1] += h[n] * h[n];
}

// The gradient of the state from those of its two sizes; |h| has slope 0 at 0, as in JAX.
void gradient_of_sizes(int64_t units, const float* h, const float* of_sizes, float* to) {
  const float slope = of_sizes[0], twice = 2.0f * of_sizes[1];
  for (int64_t n = 0; n < units; ++n)
    to[n] = twice * h[n] + (h[n] > 0.0f ? slope : h[n] < 0.0f ? -slope : 0.0f);
}

template <class Number, class Phi>
void forward(const Sequence& s, int64_t begin, int64_t end) {
  const int64_t trials = end - begin, numbers = s.units + s.inputs;
  const Panels panels(s.units);
  const int64_t width = panels.width(), words = words_of<Number>(numbers);
  const int64_t stride = padded(std::max(width, numbers), 32) + 32;  // of a row [h | x]
  Floats packed(width * words), rows(trials * stride), sums(trials * width);
  Floats readout(padded(s.outputs, 4) * width);
  const std::vector<int64_t> row = rows_of(s, begin, end);
  Operand<Number> operand(trials, stride);
  pack<Number>(numbers, s.units, panels, packed, [&](int64_t k, int64_t n) {
    return k < s.units ? s.recurrent[n * s.units + k] : s.input[n * s.inputs + k - s.units];
  });
  for (int64_t o = 0; o < s.outputs; ++o)
    copy(s.output + o * s.units, s.units, readout + o * width);
  for (int64_t m = 0; m < trials; ++m)
    copy(s.start + (begin + m) * s.units, s.units, rows + m * stride);

  const int64_t whole = s.units / kLanes * kLanes, rest = s.units - whole;
  const Vector kept = all(1.0f - s.leak), taken = all(s.leak);
  for (int64_t t = 0; t < s.steps; ++t) {
    std::memset(sums, 0, trials * width * 4);
    for (int64_t m = 0; m < trials; ++m) {
      const int64_t now = row[m] + t * s.trials;
      copy(s.x + now * s.inputs, s.inputs, rows + m * stride + s.units);
      if (s.drive != nullptr) copy(s.drive + now * s.units, s.units, sums + m * width);
    }
    product<Number>(trials, words, operand.of(rows, numbers), operand.stride, panels, packed, sums);
    for (int64_t m = 0; m < trials; ++m) {
      const int64_t now = row[m] + t * s.trials;
      float *h = rows + m * stride, *a = sums + m * width;
      float* to = s.states == nullptr ? nullptr : s.states + now * s.units;
      for (int64_t c = 0; c < width; c += kLanes) {
        const Vector rate = Phi::rate(load(a + c));
        const Vector state = s.leak == 1.0f ? rate : kept * load(h + c) + taken * rate;
        if (s.rates != nullptr) store(a + c, rate);
        store(h + c, state);
        if (to != nullptr && c < whole) store(to + c, state);
      }
      if (to != nullptr) copy(h + whole, rest, to + whole);
      if (s.rates != nullptr) copy(a, s.units, s.rates + now * s.units);
      dots(s.outputs, width, h, readout, s.z + now * s.outputs);
      if (s.sizes != nullptr) sizes_of(s.units, h, s.sizes + now * 2);
    }
  }
}

// The trials of a shard are cut into pieces, as many as the caller says; each has a sum of its own.
struct Pieces {
  Pieces(const Sequence& s, int64_t pieces_of_shard) : of_shard(pieces_of_shard) {
    for (int64_t i = 0; i <= s.shards * of_shard; ++i)
      begin.push_back(i / of_shard * s.trials + i % of_shard * s.trials / of_shard);
  }
  // The end of the pieces from `first` on that go through time together.
  int64_t together(int64_t first, int64_t last) const {
    int64_t end = first + 1;
    while (end < last && begin[end + 1] - begin[first] <= kTogether) ++end;
    return end;
  }
  int64_t of_shard;
  std::vector<int64_t> begin;  // in trials, counted over all shards
};

// The sums of one piece.
struct WeightGradients {
  explicit WeightGradients(const Sequence& s)
      : panels(s.units + s.inputs),
        tiles(padded(s.units + s.outputs, kRows) / kRows),
        sums(tiles * kRows * panels.width()) {}
  int64_t size() const { return tiles * kRows * panels.width(); }
  void add(const WeightGradients& other) {
    for (int64_t i = 0; i < size(); i += kLanes)
      store(sums + i, load(sums + i) + load(other.sums + i));
  }
  void write(const Sequence& s, int64_t shard) const {
    float* d_recurrent = s.d_recurrent + shard * s.units * s.units;
    float* d_input = s.d_input + shard * s.units * s.inputs;
    float* d_output = s.d_output + shard * s.outputs * s.units;
    for (int64_t i = 0; i < s.units; ++i) {
      copy(sums + i * panels.width(), s.units, d_recurrent + i * s.units);
      copy(sums + i * panels.width() + s.units, s.inputs, d_input + i * s.inputs);
    }
    for (int64_t o = 0; o < s.outputs; ++o)
      copy(sums + (s.units + o) * panels.width(), s.units, d_output + o * s.units);
  }
  Panels panels;
  int64_t tiles;
  Floats sums;
};

// The sums of pieces that follow each other into the first: neighbours first, then neighbours of
// these, so that pieces that were summed elsewhere come to the same number.
void sum_in_a_tree(std::unique_ptr<WeightGradients>* pieces, int64_t count) {
  for (int64_t apart = 1; apart < count; apart *= 2)
    for (int64_t i = 0; i + apart < count; i += 2 * apart) pieces[i]->add(*pieces[i + apart]);
}

// Pieces first .. last - 1 together; sums[i] is that of piece first + i.
template <class Number, class Phi>
void backward(const Sequence& s, const Pieces& pieces, int64_t first, int64_t last,
              std::unique_ptr<WeightGradients>* weights) {
  const int64_t numbers = s.units + s.outputs;
  const std::vector<int64_t> trial_rows = rows_of(s, pieces.begin[first], pieces.begin[last]);
  // Trials stand in lines; a line of zeros fills up the pairs of a piece.
  std::vector<int64_t> line, begin_line{0};
  for (int64_t piece = first; piece < last; ++piece) {
    const int64_t trials = pieces.begin[piece + 1] - pieces.begin[piece];
    for (int64_t i = 0; i < trials; ++i) line.push_back(begin_line.back() + i);
    begin_line.push_back(begin_line.back() + padded(trials, Number::kNumbers));
  }
  const int64_t trials = trial_rows.size(), lines = begin_line.back();
  const Panels panels(s.units);
  const int64_t width = panels.width(), words = words_of<Number>(numbers);
  const Panels& of_weights = weights[0]->panels;
  const int64_t tiles = weights[0]->tiles;
  const int64_t stride = padded(tiles * kRows, 32) + 32;                 // of a line [e | dz]
  const int64_t right_stride = padded(of_weights.width(), 32) + 32;      // of a line [h | x]
  const int64_t most_steps = std::clamp<int64_t>(kRowsOfProduct / lines, 1, s.steps + 1);
  Floats packed(width * words), sums(lines * width), delta(trials * width);
  Floats left(lines * stride), right(lines * right_stride);
  Floats packed_left(tiles * kRows * most_steps * lines / Number::kNumbers);
  Floats packed_right(of_weights.width() * most_steps * lines / Number::kNumbers);
  Floats input_columns(padded(s.inputs, 4) * width), rate_row(width), given_row(width);
  Operand<Number> operand(lines, stride);
  pack<Number>(numbers, s.units, panels, packed, [&](int64_t k, int64_t n) {
    return k < s.units ? s.recurrent[k * s.units + n] : s.output[(k - s.units) * s.units + n];
  });
  for (int64_t i = 0; i < s.inputs; ++i)
    for (int64_t n = 0; n < s.units; ++n) input_columns[i * width + n] = s.input[n * s.inputs + i];

  int64_t filled = 0;  // steps that wait for the outer product
  // The lines of this step join those that wait; all of them are added to the sums when `now`.
  const auto add_outer_products = [&](bool now) {
    for (int64_t piece = 0; piece < last - first; ++piece) {
      const int64_t from = begin_line[piece], here = begin_line[piece + 1] - from;
      const int64_t step_words = here / Number::kNumbers, capacity = most_steps * step_words;
      float* to_left = packed_left + tiles * kRows * most_steps * from / Number::kNumbers;
      float* to_right = packed_right + of_weights.width() * most_steps * from / Number::kNumbers;
      pack_tiles<Number>(here, left + from * stride, stride, tiles, to_left, filled * step_words,
                         capacity);
      pack_rows<Number>(here, right + from * right_stride, right_stride, of_weights, to_right,
                        filled * step_words, capacity);
      if (now)
        outer_product<Number>(tiles, (filled + 1) * step_words, capacity, to_left, of_weights,
                              to_right, weights[piece]->sums);
    }
    filled = now ? 0 : filled + 1;
  };

  Floats whole_left(s.window > 0 ? lines * stride : 0);
  const Vector kept = all(1.0f - s.leak), taken = all(s.leak);
  // At t a line pairs e(t+1) with h(t) and x(t+1), dz(t) with h(t); t = -1 is the initial state.
  for (int64_t t = s.steps - 1; t >= -1; --t) {
    for (int64_t m = 0; m < trials; ++m) {
      const int64_t now = trial_rows[m] + t * s.trials;
      const float* h = t >= 0 ? s.states + now * s.units
                              : s.start + (pieces.begin[first] + m) * s.units;
      float *dz = left + line[m] * stride + s.units, *hx = right + line[m] * right_stride;
      copy(h, s.units, hx);
      if (t >= 0)
        copy(s.output_gradients + now * s.outputs, s.outputs, dz);
      else
        std::memset(dz, 0, s.outputs * 4);
      if (t + 1 < s.steps)
        copy(s.x + (now + s.trials) * s.inputs, s.inputs, hx + s.units);
      else
        std::memset(hx + s.units, 0, s.inputs * 4);
    }
    // Where a window begins at t + 1, its gradient reaches the weights, and not h(t).
    const bool cut = s.window > 0 && t >= 0 && t + 1 < s.steps && (t + 1) % s.window == 0;
    if (cut) {
      copy(left, lines * stride, whole_left);
      for (int64_t m = 0; m < trials; ++m) std::memset(left + line[m] * stride, 0, s.units * 4);
      std::memset(delta, 0, trials * width * 4);
    }
    std::memset(sums, 0, lines * width * 4);
    product<Number>(lines, words, operand.of(left, numbers), operand.stride, panels, packed, sums);
    if (cut) copy(whole_left, lines * stride, left);
    add_outer_products(filled + 1 == most_steps || t < 0);
    for (int64_t m = 0; m < trials; ++m) {
      const int64_t now = trial_rows[m] + t * s.trials;
      float *d = delta + m * width, *e = left + line[m] * stride;
      const float* reached = sums + line[m] * width;
      if (t < 0) {
        float* to = s.d_start + (pieces.begin[first] + m) * s.units;
        for (int64_t n = 0; n < s.units; ++n) to[n] = reached[n] + (1.0f - s.leak) * d[n];
        continue;
      }
      const float* rate = right + line[m] * right_stride;  // with leak 1 the state itself
      if (s.rates != nullptr) {
        copy(s.rates + now * s.units, s.units, rate_row);
        rate = rate_row;
      }
      if (s.state_gradients != nullptr)
        copy(s.state_gradients + now * s.units, s.units, given_row);
      if (s.size_gradients != nullptr)
        gradient_of_sizes(s.units, right + line[m] * right_stride, s.size_gradients + now * 2,
                          given_row);
      for (int64_t c = 0; c < width; c += kLanes) {
        Vector total = load(reached + c) + load(given_row + c);
        if (s.leak != 1.0f) total += kept * load(d + c);
        store(d + c, total);
        store(e + c, taken * Phi::slope(load(rate + c)) * total);
      }
      if (s.d_drive != nullptr) copy(e, s.units, s.d_drive + now * s.units);
      dots(s.inputs, width, e, input_columns, s.d_x + now * s.inputs);
    }
  }
}

// ---- which part goes where ---------------------------------------------------------------------

template <class Number, class Work>
void with_activation(int32_t activation, Work work) {
  switch (activation) {
    case 0: return work.template operator()<Number, Tanh>();
    case 1: return work.template operator()<Number, Relu>();
    case 2: return work.template operator()<Number, Sigmoid>();
    case 3: return work.template operator()<Number, Softplus>();
    default: return work.template operator()<Number, Linear>();
  }
}

template <class Work>
void with_numbers(bool bfloat16, int32_t activation, Work work) {
#if defined(__AVX512BF16__)
  if (bfloat16) return with_activation<BFloat16>(activation, work);
#endif
  (void)bfloat16;
  with_activation<Float32>(activation, work);
}

// Cuts the items of each network (trials, or pieces) into parts and calls work(net, first, last)
// for every part, on up to `threads` threads.
template <class Work>
void spread(int64_t nets, int64_t items, int64_t threads, Work work) {
  const int64_t parts = std::clamp<int64_t>((threads + nets - 1) / nets, 1, items);
  std::atomic<int64_t> next{0};
  const auto take = [&] {
    for (int64_t i = next++; i < nets * parts; i = next++) {
      const int64_t part = i % parts;
      work(i / parts, part * items / parts, (part + 1) * items / parts);
    }
  };
  std::vector<std::thread> others;
  for (int64_t i = 1; i < std::min(threads, nets * parts); ++i) others.emplace_back(take);
  take();
  for (auto& other : others) other.join();
}

using Floats32 = ffi::Buffer<ffi::F32>;
using Result32 = ffi::Result<Floats32>;

struct Shape {
  Shape(int64_t shards, const Floats32& x, const Floats32& recurrent, const Floats32& output)
      : shards(shards) {
    const auto dims = x.dimensions();
    const size_t rank = dims.size();
    for (size_t i = 0; i + 3 < rank; ++i) nets *= dims[i];
    nets /= shards;
    steps = dims[rank - 3];
    trials = dims[rank - 2];
    inputs = dims[rank - 1];
    units = recurrent.dimensions().back();
    outputs = output.dimensions()[output.dimensions().size() - 2];
  }
  Sequence sequence(float leak) const {
    Sequence s{};
    s.shards = shards, s.steps = steps, s.trials = trials;
    s.units = units, s.inputs = inputs, s.outputs = outputs;
    s.leak = leak;
    return s;
  }
  int64_t nets = 1, shards, steps, trials, units, inputs, outputs;
};

// Large results are new memory: in large pages it is there with fewer interruptions.
void in_large_pages(Floats32& array) {
#if defined(__linux__)
  constexpr uintptr_t page = 1 << 21;
  const uintptr_t begin = reinterpret_cast<uintptr_t>(array.untyped_data());
  const uintptr_t first = (begin + page - 1) / page * page;
  const uintptr_t last = (begin + array.size_bytes()) / page * page;
  if (last > first) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
  (void)array;
}

// The part of a stacked array that belongs to a network; null for an array without elements.
template <class Array>
auto of_net(Array& array, int64_t net, int64_t nets) {
  const int64_t n = array.element_count();
  return n == 0 ? nullptr : array.typed_data() + net * (n / nets);
}

ffi::Error Forward(int32_t activation, bool bfloat16, float leak, int64_t threads, int64_t shards,
                   int64_t, int64_t, Floats32 recurrent, Floats32 input, Floats32 output, Floats32 x, Floats32 drive,
                   Floats32 start, Result32 states, Result32 rates, Result32 z,
                   Result32 sizes) {
  const Shape shape(shards, x, recurrent, output);
  const int64_t nets = shape.nets;
  in_large_pages(*states);
  in_large_pages(*rates);
  spread(nets, shards * shape.trials, threads,
         [&](int64_t net, int64_t begin, int64_t end) {
           Sequence s = shape.sequence(leak);
           s.recurrent = of_net(recurrent, net, nets);
           s.input = of_net(input, net, nets);
           s.output = of_net(output, net, nets);
           s.x = of_net(x, net, nets);
           s.drive = of_net(drive, net, nets);
           s.start = of_net(start, net, nets);
           s.states = of_net(*states, net, nets);
           s.rates = of_net(*rates, net, nets);
           s.z = of_net(*z, net, nets);
           s.sizes = of_net(*sizes, net, nets);
           with_numbers(bfloat16, activation,
                        [&]<class Number, class Phi>() { forward<Number, Phi>(s, begin, end); });
         });
  return ffi::Error::Success();
}

ffi::Error Backward(int32_t activation, bool bfloat16, float leak, int64_t threads, int64_t shards,
                    int64_t pieces_of_shard, int64_t window, Floats32 recurrent, Floats32 input, Floats32 output, Floats32 x,
                    Floats32 start, Floats32 states, Floats32 rates, Floats32 state_gradients,
                    Floats32 output_gradients, Floats32 size_gradients, Result32 d_recurrent,
                    Result32 d_input, Result32 d_output, Result32 d_x, Result32 d_drive,
                    Result32 d_start) {
  const Shape shape(shards, x, recurrent, output);
  const int64_t nets = shape.nets;
  const auto of = [&](int64_t net) {
    Sequence s = shape.sequence(leak);
    s.window = window;
    s.recurrent = of_net(recurrent, net, nets);
    s.input = of_net(input, net, nets);
    s.output = of_net(output, net, nets);
    s.x = of_net(x, net, nets);
    s.start = of_net(start, net, nets);
    s.states = of_net(states, net, nets);
    s.rates = of_net(rates, net, nets);
    s.state_gradients = of_net(state_gradients, net, nets);
    s.output_gradients = of_net(output_gradients, net, nets);
    s.size_gradients = of_net(size_gradients, net, nets);
    s.d_recurrent = of_net(*d_recurrent, net, nets);
    s.d_input = of_net(*d_input, net, nets);
    s.d_output = of_net(*d_output, net, nets);
    s.d_x = of_net(*d_x, net, nets);
    s.d_drive = of_net(*d_drive, net, nets);
    s.d_start = of_net(*d_start, net, nets);
    return s;
  };
  const Pieces pieces(shape.sequence(leak), pieces_of_shard);
  const int64_t count = shards * pieces_of_shard;
  std::vector<std::unique_ptr<WeightGradients>> sums(nets * count);
  spread(nets, count, threads, [&](int64_t net, int64_t first, int64_t last) {
    const Sequence s = of(net);
    std::unique_ptr<WeightGradients>* own = sums.data() + net * count + first;
    for (int64_t i = 0; i < last - first; ++i) own[i] = std::make_unique<WeightGradients>(s);
    with_numbers(bfloat16, activation, [&]<class Number, class Phi>() {
      for (int64_t from = first, to; from < last; from = to) {
        to = pieces.together(from, last);
        backward<Number, Phi>(s, pieces, from, to, own + (from - first));
      }
    });
  });
  for (int64_t net = 0; net < nets; ++net)
    for (int64_t shard = 0; shard < shards; ++shard) {
      std::unique_ptr<WeightGradients>* own =
          sums.data() + net * count + shard * pieces_of_shard;
      sum_in_a_tree(own, pieces_of_shard);
      own[0]->write(of(net), shard);
    }
  return ffi::Error::Success();
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(attractory_rate_forward, Forward,
                              ffi::Ffi::Bind()
                                  .Attr<int32_t>("activation")
                                  .Attr<bool>("bfloat16")
                                  .Attr<float>("leak")
                                  .Attr<int64_t>("threads")
                                  .Attr<int64_t>("shards")
                                  .Attr<int64_t>("pieces")
                                  .Attr<int64_t>("window")
                                  .Arg<Floats32>()
                                  .Arg<Floats32>()
                                  .Arg<Floats32>()
                                  .Arg<Floats32>()
                                  .Arg<Floats32>()
                                  .Arg<Floats32>()
                                  .Ret<Floats32>()
                                  .Ret<Floats32>()
                                  .Ret<Floats32>()
                                  .Ret<Floats32>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(attractory_rate_backward, Backward,
                              ffi::Ffi::Bind()
                                  .Attr<int32_t>("activation")
                                  .Attr<bool>("bfloat16")
                                  .Attr<float>("leak")
                                  .Attr<int64_t>("threads")
                                  .Attr<int64_t>("shards")
                                  .Attr<int64_t>("pieces")
                                  .Attr<int64_t>("window")
                                  .Arg<Floats32>()
                                  .Arg<Floats32>()
                                  .Arg<Floats32>()
                                  .Arg<Floats32>()
                                  .Arg<Floats32>()
                                  .Arg<Floats32>()
                                  .Arg<Floats32>()
                                  .Arg<Floats32>()
                                  .Arg<Floats32>()
                                  .Arg<Floats32>()
                                  .Ret<Floats32>()
                                  .Ret<Floats32>()
                                  .Ret<Floats32>()
                                  .Ret<Floats32>()
                                  .Ret<Floats32>()
                                  .Ret<Floats32>());

// Whether pairs of bfloat16 numbers are multiplied by the processor.
extern "C" int attractory_has_bfloat16() {
#if defined(__AVX512BF16__)
  return 1;
#else
  return 0;
#endif
}
