#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "proxy/cli/commands.h"
#include "tests/unit/cli/captured_output.h"
#include "tests/unit/cli/fake_admin.h"

namespace lanekeeper {
namespace {

namespace v1 = admin::v1;

class ReloadCommand : public testing::Test {
 protected:
  void Answer(v1::ReloadResponse::Result result) { admin_.reload_answer.set_result(result); }

  void AnswerChange(const char* key, const char* before, const char* after,
                    v1::ConfigChange::Effect effect) {
    v1::ConfigChange* change = admin_.reload_answer.add_changes();
    change->set_key(key);
    if (before != nullptr) change->set_before(before);
    if (after != nullptr) change->set_after(after);
    change->set_effect(effect);
  }

  FakeAdmin admin_;
  CapturedOutput captured_;
  AdminClient client_{admin_.address()};
};

TEST_F(ReloadCommand, PrintsATableOfWhatHasChanged) {
  Answer(v1::ReloadResponse::APPLIED);
  AnswerChange("limits.open_rpcs", "10000", "20000", v1::ConfigChange::NEW_RPCS);
  AnswerChange("listen[b:1].address", nullptr, "b:1", v1::ConfigChange::NEW_CONNECTIONS);
  AnswerChange("stuck.after", "30s", "1m", v1::ConfigChange::AT_ONCE);
  AnswerChange("rpc_threads.kind", "user", "kernel", v1::ConfigChange::RESTART);
  EXPECT_EQ(Reload(client_, {}, captured_.output), 0);
  EXPECT_EQ(captured_.out.text(),
            "KEY                  BEFORE  AFTER   EFFECT\n"
            "limits.open_rpcs     10000   20000   new RPCs\n"
            "listen[b:1].address  -       b:1     new connections\n"
            "stuck.after          30s     1m      at once\n"
            "rpc_threads.kind     user    kernel  restart\n"
            "reloaded: 4 changes, 1 only with a restart\n");
  ASSERT_EQ(admin_.reload_requests().size(), 1);
  EXPECT_FALSE(admin_.reload_requests()[0].dry_run());
}

TEST_F(ReloadCommand, SaysThatNothingDiffers) {
  Answer(v1::ReloadResponse::UNCHANGED);
  EXPECT_EQ(Reload(client_, {.dry_run = true}, captured_.output), 0);
  EXPECT_EQ(captured_.out.text(), "would reload: nothing differs\n");
  EXPECT_TRUE(admin_.reload_requests()[0].dry_run());
  EXPECT_EQ(admin_.reload_requests()[0].yaml(), "");
}

TEST_F(ReloadCommand, SendsTheFileThatADryRunNames) {
  const std::string path = testing::TempDir() + "reload_command." + std::to_string(getpid());
  std::ofstream(path) << "listen: []\n";
  EXPECT_EQ(Reload(client_, {.dry_run = true, .file = path}, captured_.output), 0);
  std::remove(path.c_str());
  ASSERT_EQ(admin_.reload_requests().size(), 1);
  EXPECT_EQ(admin_.reload_requests()[0].yaml(), "listen: []\n");
  EXPECT_EQ(admin_.reload_requests()[0].name(), path);
  EXPECT_TRUE(admin_.reload_requests()[0].dry_run());
}

TEST_F(ReloadCommand, TellsEveryProblemAndFails) {
  Answer(v1::ReloadResponse::REFUSED);
  admin_.reload_answer.add_problems("c.yaml:1:2: no");
  admin_.reload_answer.add_problems("c.yaml:3:4: not either");
  EXPECT_EQ(Reload(client_, {}, captured_.output), 1);
  EXPECT_EQ(captured_.err.text(),
            "lanekeeper: c.yaml:1:2: no\nlanekeeper: c.yaml:3:4: not either\n");
  EXPECT_EQ(captured_.out.text(), "");
}

TEST_F(ReloadCommand, FailsWhereTheFileCannotBeRead) {
  EXPECT_EQ(Reload(client_, {.dry_run = true, .file = "/nowhere/c.yaml"}, captured_.output), 1);
  EXPECT_EQ(captured_.err.text(),
            "lanekeeper: /nowhere/c.yaml cannot be read: No such file or directory\n");
  EXPECT_TRUE(admin_.reload_requests().empty());
}

TEST_F(ReloadCommand, FailsWhereTheDaemonRefuses) {
  admin_.refusal = grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "it is ending");
  EXPECT_EQ(Reload(client_, {}, captured_.output), 1);
  EXPECT_EQ(captured_.err.text(), "lanekeeper: " + admin_.address() + " refused: it is ending\n");
}

}  // namespace
}  // namespace lanekeeper
