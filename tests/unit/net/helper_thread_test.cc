#include "proxy/net/helper_thread.h"

#include <gmock/gmock.h>

#include <future>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/eventually.h"

namespace lanekeeper {
namespace {

using lanekeeper::testing::kPatience;
using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(HelperThreadTest, WorkIsDoneInOrderOnOneThreadThatIsNotTheCallers) {
  std::vector<int> done;
  std::set<std::thread::id> threads;
  std::promise<void> all;
  HelperThread helper;
  for (const int piece : {1, 2, 3}) {
    helper.Run([&, piece] {
      done.push_back(piece);
      threads.insert(std::this_thread::get_id());
      if (piece == 3) all.set_value();
    });
  }
  ASSERT_EQ(all.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_THAT(done, ElementsAre(1, 2, 3));
  EXPECT_THAT(threads, SizeIs(1));
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
}

TEST(HelperThreadTest, ItsEndWaitsForWhatIsUnderWayAndDropsTheRest) {
  std::promise<void> begun;
  std::promise<void> go_on;
  bool first = false;
  bool second = false;
  auto helper = std::make_unique<HelperThread>();
  helper->Run([&] {
    begun.set_value();
    go_on.get_future().wait_for(kPatience);
    first = true;
  });
  helper->Run([&] { second = true; });
  ASSERT_EQ(begun.get_future().wait_for(kPatience), std::future_status::ready);
  std::thread end([&] { helper.reset(); });
  go_on.set_value();
  end.join();
  EXPECT_TRUE(first);
  EXPECT_FALSE(second && !first);
}

TEST(HelperThreadTest, OneThatWasNeverAskedEnds) {
  HelperThread never_begun;
  HelperThread begun;
  begun.Begin();
}

}  // namespace
}  // namespace lanekeeper
