// That the comparison can fail, and that the seeds reach what they should.
#include <grpc/status.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <map>

#include "tests/conformance/generated/observe.h"

namespace lanekeeper::testing {
namespace {

// An RPC with something of everything.
Plan RichPlan() {
  Plan plan;
  plan.method = "/lanekeeper.generated/Rich";
  plan.request_headers = {{"a", "1"}, {"b-bin", std::string("\0\xff", 2)}, {"a", "2"}};
  plan.response_headers = {{"c", "3"}, {"d", ""}};
  plan.trailers = {{"e", "5"}, {"grpc-status-details-bin", "details"}};
  plan.to_upstream = plan.to_downstream = GRPC_COMPRESS_GZIP;
  plan.timeout = std::chrono::hours(1);
  plan.status_code = GRPC_STATUS_NOT_FOUND;
  plan.status_message = "nothing there";
  const MessagePlan message{.bytes = 1000, .content = 7};
  plan.steps = {{StepKind::kClientStart, message, true},
                {StepKind::kServerAccept},
                {StepKind::kServerReceive},
                {StepKind::kServerReceive},
                {StepKind::kServerSend, message},
                {StepKind::kClientReceive},
                {StepKind::kClientHeaders},
                {StepKind::kServerFinish},
                {StepKind::kClientReceive},
                {StepKind::kClientStatus},
                {StepKind::kServerClosed}};
  return plan;
}

class MachineryTest : public ::testing::Test {
 protected:
  Observation ObserveDirectly(const Plan& plan) { return Observe(plan, channel_, server_, 1); }

  // Whether both ends see something else when the plan is changed like this.
  bool Shows(const std::function<void(Plan&)>& change) {
    Plan plan = RichPlan();
    change(plan);
    const Observation observation = ObserveDirectly(plan);
    EXPECT_TRUE(observation.complete);
    return observation != ObserveDirectly(RichPlan());
  }

  CoreServer server_;
  CoreChannel channel_{server_.address()};
};

TEST_F(MachineryTest, TheSamePlanShowsTheSame) {
  const Observation observation = ObserveDirectly(RichPlan());
  EXPECT_TRUE(observation.complete);
  EXPECT_EQ(observation, ObserveDirectly(RichPlan())) << Describe(RichPlan());
}

TEST_F(MachineryTest, EveryChangeOfAPlanShows) {
  EXPECT_TRUE(Shows([](Plan& plan) { plan.request_headers[1].second += '\0'; }));
  EXPECT_TRUE(
      Shows([](Plan& plan) { std::swap(plan.request_headers[0], plan.request_headers[2]); }));
  EXPECT_TRUE(
      Shows([](Plan& plan) { std::swap(plan.response_headers[0], plan.response_headers[1]); }));
  EXPECT_TRUE(Shows([](Plan& plan) { plan.response_headers.pop_back(); }));
  EXPECT_TRUE(Shows([](Plan& plan) { plan.trailers.emplace_back("e", "5"); }));
  EXPECT_TRUE(Shows([](Plan& plan) { plan.trailers.back().second = "detailt"; }));
  EXPECT_TRUE(Shows([](Plan& plan) { plan.to_upstream = GRPC_COMPRESS_DEFLATE; }));
  EXPECT_TRUE(Shows([](Plan& plan) { plan.to_downstream = GRPC_COMPRESS_NONE; }));
  EXPECT_TRUE(Shows([](Plan& plan) { plan.timeout.reset(); }));
  EXPECT_TRUE(Shows([](Plan& plan) { plan.status_code = 99; }));
  EXPECT_TRUE(Shows([](Plan& plan) { plan.status_message += "."; }));
  EXPECT_TRUE(Shows([](Plan& plan) { ++plan.steps[0].message->content; }));
  EXPECT_TRUE(Shows([](Plan& plan) { plan.steps[0].message->leave_as_it_is = true; }));
  EXPECT_TRUE(Shows([](Plan& plan) { plan.steps[4].message->bytes = 0; }));
}

// A status alone, with its headers before it or without any: the API shows the same metadata.
TEST_F(MachineryTest, TrailersOnlyShows) {
  Plan plan = RichPlan();
  plan.response_headers.clear();
  plan.to_downstream = GRPC_COMPRESS_NONE;
  plan.steps = {{StepKind::kClientStart},
                {StepKind::kServerAccept},
                {StepKind::kServerFinish},
                {StepKind::kClientHeaders},
                {StepKind::kClientStatus}};
  const Observation trailers_only = ObserveDirectly(plan);
  plan.steps.insert(plan.steps.begin() + 2, {StepKind::kServerHeaders});
  EXPECT_TRUE(trailers_only.complete);
  EXPECT_NE(trailers_only, ObserveDirectly(plan));
}

TEST_F(MachineryTest, ACancellationShows) {
  EXPECT_TRUE(Shows([](Plan& plan) {
    plan.steps.erase(plan.steps.begin() + 7, plan.steps.end());
    plan.steps.push_back({StepKind::kClientCancel});
    plan.steps.push_back({StepKind::kClientStatus});
    plan.steps.push_back({StepKind::kServerClosed});
  }));
}

// The first 300 are what CI runs.
TEST(Seeds, ReachEveryKindOfRpc) {
  std::map<std::string, int> count;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    const Plan plan = GeneratePlan(seed);
    ++count[plan.kind.substr(0, plan.kind.find(','))];
    ++count[plan.kind.substr(plan.kind.find(',') + 2)];
    if (plan.status_code > GRPC_STATUS_UNAUTHENTICATED) ++count["unknown code"];
    if (plan.steps.front().kind == StepKind::kClientCancel) ++count["cancel before the start"];
    for (const Step& step : plan.steps) {
      if (step.message && step.message->bytes == 0) ++count["empty message"];
      if (step.message && step.message->bytes > 1'000'000) ++count["message of megabytes"];
    }
  }
  for (const char* kind : {"unary", "client streaming", "server streaming", "bidi", "finish",
                           "early finish", "cancel", "abort", "drop", "deadline", "unknown code",
                           "cancel before the start", "empty message", "message of megabytes"}) {
    EXPECT_GT(count[kind], 0) << kind;
  }
}

// A seed from one machine must be the same RPC on another. Whoever changes the generator changes
// this number.
TEST(Seeds, AreTheSameOnEveryMachine) {
  std::string plans;
  for (uint64_t seed = 1; seed <= 300; ++seed) plans += Describe(GeneratePlan(seed));
  EXPECT_EQ(HashOf(plans), 2154414323153077503u);
}

// CMakeLists.txt names the routes again, for an entry in ctest each.
TEST(Seeds, RunOverEveryRouteInCtest) {
  const char* in_ctest = std::getenv("LANEKEEPER_CTEST_ROUTES");
  if (in_ctest == nullptr) GTEST_SKIP() << "ctest only";
  EXPECT_EQ(in_ctest, RouteNames());
}

}  // namespace
}  // namespace lanekeeper::testing
