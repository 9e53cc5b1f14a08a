// torch's dropout on a CPU: the same masks from the same generator, several times as fast.
//
// torch draws one number after the other, and most of the time of its dropout goes there. The
// engine, mt19937 (Matsumoto and Nishimura, 1998), works out 624 numbers at a time, and the loops
// that do so are simple enough to be vectorized.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <torch/extension.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <numeric>
#include <tuple>
#include <vector>

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define ORTWRAP_VECTORIZED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define ORTWRAP_VECTORIZED
#endif

namespace {

constexpr int kState = at::MERSENNE_STATE_N;
constexpr int kShift = at::MERSENNE_STATE_M;

// A uniform double of torch's has 53 bits, from two numbers of the engine.
constexpr int kBits = 53;
constexpr int64_t kDraws = 2 * kState;

inline uint32_t twist(uint32_t first, uint32_t second) {
  const uint32_t mixed = (first & at::UMASK) | (second & at::LMASK);
  return (mixed >> 1) ^ ((0u - (second & 1u)) & at::MATRIX_A);
}

ORTWRAP_VECTORIZED void next_state(uint32_t* state) {
  for (int i = 0; i < kState - kShift; ++i) {
    state[i] = state[i + kShift] ^ twist(state[i], state[i + 1]);
  }
  for (int i = kState - kShift; i < kState - 1; ++i) {
    state[i] = state[i + kShift - kState] ^ twist(state[i], state[i + 1]);
  }
  state[kState - 1] = state[kShift - 1] ^ twist(state[kState - 1], state[0]);
}

ORTWRAP_VECTORIZED void temper(const uint32_t* state, int64_t count, uint32_t* drawn) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t y = state[i];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    drawn[i] = y ^ (y >> 18);
  }
}

// Keeps an element if 53 bits, the high ones drawn first, are less than `kept`.
template <typename T>
ORTWRAP_VECTORIZED void apply(
    const uint32_t* drawn, int64_t kept, T scale, const T* input, int64_t count, T* noise, T* output) {
  constexpr int64_t high = (int64_t{1} << (kBits - 32)) - 1;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t number = ((drawn[2 * i] & high) << 32) | drawn[2 * i + 1];
    noise[i] = number < kept ? scale : T(0);
    output[i] = input[i] * noise[i];
  }
}

// The numbers of torch's engine, many at a time.
class Numbers {
 public:
  explicit Numbers(const at::mt19937_data_pod& data) : data_(data), next_(data.next_) {
    // A fresh seed is a state that has nothing left, with `next_` at its start.
    if (data.left_ == 1) next_ = kState;
  }

  void draw(uint32_t* drawn, int64_t count) {
    while (count > 0) {
      if (next_ == kState) {
        next_state(data_.state_.data());
        next_ = 0;
      }
      const int64_t part = std::min<int64_t>(count, kState - next_);
      temper(data_.state_.data() + next_, part, drawn);
      next_ += part;
      drawn += part;
      count -= part;
    }
  }

  at::mt19937_data_pod data() const {
    at::mt19937_data_pod data = data_;
    data.next_ = static_cast<uint32_t>(next_);
    data.left_ = static_cast<int>(kState + 1 - next_);
    return data;
  }

 private:
  at::mt19937_data_pod data_;
  int64_t next_;
};

template <typename T>
void drop(
    const at::Tensor& input, double keep, T scale, at::CPUGeneratorImpl* generator,
    at::Tensor& noise, at::Tensor& output) {
  if (input.numel() == 0) return;
  std::lock_guard<std::mutex> lock(generator->mutex_);
  at::mt19937 engine = generator->engine();
  Numbers numbers(engine.data());
  // number * 2^-53 < keep, in whole numbers.
  const auto kept = static_cast<int64_t>(std::ceil(std::ldexp(keep, kBits)));
  std::array<uint32_t, kDraws> drawn;
  const int64_t total = input.numel();
  for (int64_t start = 0; start < total; start += kDraws / 2) {
    const int64_t count = std::min<int64_t>(kDraws / 2, total - start);
    numbers.draw(drawn.data(), 2 * count);
    apply<T>(
        drawn.data(), kept, scale, input.data_ptr<T>() + start, count,
        noise.data_ptr<T>() + start, output.data_ptr<T>() + start);
  }
  engine.set_data(numbers.data());
  generator->set_engine(engine);
}

at::Tensor noise_of_torch(const at::Tensor& like, double keep, std::optional<at::Generator> from) {
  at::Tensor noise = at::empty_like(like);
  noise.bernoulli_(keep, std::move(from));
  return noise.div_(keep);
}

std::tuple<at::Tensor, at::Tensor> dropped(
    const at::Tensor& input, double keep, const at::Generator& from) {
  at::Tensor noise = at::empty_like(input);
  at::Tensor output = at::empty_like(input);
  // The quotient that torch computes, in the dtype that it computes it in.
  const at::Tensor scale = at::ones({1}, input.options()).div_(keep);
  auto* generator = at::check_generator<at::CPUGeneratorImpl>(from);
  if (input.scalar_type() == at::kFloat) {
    drop<float>(input, keep, scale.item<float>(), generator, noise, output);
  } else {
    drop<double>(input, keep, scale.item<double>(), generator, noise, output);
  }
  return {output, noise};
}

// Whether the numbers are torch's here: a build of torch may draw them in another way.
bool draws_as_torch() {
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    at::Generator theirs = at::detail::createCPUGenerator(7);
    at::Generator ours = at::detail::createCPUGenerator(7);
    for (const int64_t count : {1, 1000, 313, 624}) {
      const at::Tensor input = at::ones({count}, at::TensorOptions().dtype(dtype));
      const at::Tensor expected = noise_of_torch(input, 0.9, theirs);
      if (!at::equal(std::get<1>(dropped(input, 0.9, ours)), expected)) return false;
      // Half a pair, so that what follows begins in the middle of one.
      auto* one = at::check_generator<at::CPUGeneratorImpl>(theirs);
      auto* other = at::check_generator<at::CPUGeneratorImpl>(ours);
      if (one->random() != other->random()) return false;
    }
  }
  return true;
}

bool is_fast() {
  static const bool fast = draws_as_torch();
  return fast;
}

// Args:
//   input: what goes in.
//   before: not read; what must have been drawn before.
//   keep: the share that is kept, a double without dimensions; 1 draws nothing.
//   order: the dimensions of what eager has there, from the outermost in memory to the innermost,
//     where that is not their order: torch draws along the memory.
// Returns: what comes out, and what it was multiplied with.
std::tuple<at::Tensor, at::Tensor> dropout(
    const at::Tensor& input, const std::optional<at::Tensor>& before, const at::Tensor& keep,
    const at::OptionalIntArrayRef order) {
  const auto kept = keep.item<double>();
  if (kept == 1.0) return {input.clone(), at::ones_like(input)};
  std::vector<int64_t> along(input.dim());
  std::iota(along.begin(), along.end(), 0);
  if (order.has_value()) along = order->vec();
  std::vector<int64_t> back(along.size());
  for (size_t axis = 0; axis < back.size(); ++axis) back[along[axis]] = axis;

  const at::Tensor lying = input.permute(along).contiguous();
  const bool known = input.scalar_type() == at::kFloat || input.scalar_type() == at::kDouble;
  if (known && input.is_cpu() && is_fast()) {
    const auto [output, noise] = dropped(lying, kept, at::detail::getDefaultCPUGenerator());
    return {output.permute(back).contiguous(), noise.permute(back).contiguous()};
  }
  const at::Tensor as_eagers = lying.permute(back);
  const at::Tensor noise = noise_of_torch(as_eagers, kept, std::nullopt);
  return {(as_eagers * noise).contiguous(), noise.contiguous()};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ortwrap, m) {
  m.def(
      "dropout(Tensor input, Tensor? before, Tensor keep, int[]? order) -> (Tensor, Tensor)");
  m.def("dropout_is_fast() -> bool", is_fast);
}

TORCH_LIBRARY_IMPL(ortwrap, CompositeExplicitAutograd, m) {
  m.impl("dropout", dropout);
}

PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {}
