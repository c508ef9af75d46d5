#include "proxy/base/cpu_quota.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

namespace lanekeeper {
namespace {

namespace fs = std::filesystem;

// A made-up root with the files of a cgroup file system.
class CpuQuotaTest : public ::testing::Test {
 protected:
  CpuQuotaTest() {
    std::string name = (fs::temp_directory_path() / "cpu_quota_test.XXXXXX").string();
    root_ = mkdtemp(name.data());
  }
  ~CpuQuotaTest() override { fs::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  fs::path root_;
};

TEST_F(CpuQuotaTest, WithoutACgroupThereIsNoQuota) {
  EXPECT_EQ(CgroupCpuQuota(root_), std::nullopt);
  EXPECT_GE(UsableCpus(root_), 1);
}

TEST_F(CpuQuotaTest, Version2QuotaIsRead) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/cpu.max", "150000 100000\n");
  EXPECT_DOUBLE_EQ(CgroupCpuQuota(root_).value(), 1.5);
}

TEST_F(CpuQuotaTest, MaxIsNoQuota) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_EQ(CgroupCpuQuota(root_), std::nullopt);
}

TEST_F(CpuQuotaTest, TheTightestQuotaOfAllParentsBinds) {
  Write("proc/self/cgroup", "0::/pod/container\n");
  Write("sys/fs/cgroup/cpu.max", "max 100000\n");
  Write("sys/fs/cgroup/pod/cpu.max", "50000 100000\n");
  Write("sys/fs/cgroup/pod/container/cpu.max", "400000 100000\n");
  EXPECT_DOUBLE_EQ(CgroupCpuQuota(root_).value(), 0.5);
}

TEST_F(CpuQuotaTest, APathThatOnlyTheHostSeesFallsBackToTheMount) {
  Write("proc/self/cgroup", "0::/kubepods/of/the/host\n");
  Write("sys/fs/cgroup/cpu.max", "300000 100000\n");
  EXPECT_DOUBLE_EQ(CgroupCpuQuota(root_).value(), 3);
}

TEST_F(CpuQuotaTest, Version1QuotaIsReadAndMinusOneIsNone) {
  Write("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/docker/1\n");
  Write("sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us", "250000\n");
  Write("sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(CgroupCpuQuota(root_).value(), 2.5);
  Write("sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(CgroupCpuQuota(root_), std::nullopt);
}

TEST_F(CpuQuotaTest, AFractionOfACpuStillGetsOneWorker) {
  Write("proc/self/cgroup", "0::/\n");
  Write("sys/fs/cgroup/cpu.max", "10000 100000\n");
  EXPECT_EQ(UsableCpus(root_), 1);
}

}  // namespace
}  // namespace lanekeeper
