// The coroutine types. A Task is a lazy coroutine with one owner, started by awaiting it; WhenAll
// runs several side by side on one thread; Detached starts at once and frees itself at its end. All
// of an RPC's coroutines run on the thread of its loop; nothing here is thread-safe. Exceptions end
// the process: the data path reports by value.
#pragma once

#include <array>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

namespace lanekeeper {

class [[nodiscard]] Task {
 public:
  // Counts the tasks that are still running for one WhenAll, and knows who waits for them.
  struct Join {
    size_t running = 0;
    std::coroutine_handle<> waiter;
  };

  struct promise_type {
    std::coroutine_handle<> continuation = std::noop_coroutine();
    Join* join = nullptr;

    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }

    auto final_suspend() noexcept {
      struct Final {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
          promise_type& promise = self.promise();
          if (promise.join == nullptr) return promise.continuation;
          if (--promise.join->running > 0) return std::noop_coroutine();
          return promise.join->waiter;
        }
        void await_resume() noexcept {}
      };
      return Final{};
    }
  };
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
    handle_.promise().continuation = waiter;
    return handle_;
  }
  void await_resume() noexcept {}

  void StartIn(Join& join) {
    handle_.promise().join = &join;
    handle_.resume();
  }

 private:
  explicit Task(Handle handle) : handle_(handle) {}

  Handle handle_;
};

// Awaited, starts its tasks in order and resumes when the last has ended.
template <size_t N>
class [[nodiscard]] WhenAll {
 public:
  template <class... Tasks>
  explicit WhenAll(Tasks... tasks) : tasks_{std::move(tasks)...} {}

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    join_.waiter = waiter;
    join_.running = N + 1;  // one for ourselves, so that nobody resumes the waiter while we start
    for (Task& task : tasks_) task.StartIn(join_);
    return --join_.running > 0;
  }
  void await_resume() noexcept {}

 private:
  std::array<Task, N> tasks_;
  Task::Join join_;
};
template <class... Tasks>
WhenAll(Tasks...) -> WhenAll<sizeof...(Tasks)>;

struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

}  // namespace lanekeeper
