#include "proxy/observe/method_labels.h"

#include <gmock/gmock.h>

namespace lanekeeper {
namespace {

TEST(MethodLabelsTest, APathBecomesServiceAndMethod) {
  MethodLabels labels(10);
  const MethodLabel label = labels.Label(labels.Intern("/pkg.sub.Service/Method"));
  EXPECT_EQ(label.service, "pkg.sub.Service");
  EXPECT_EQ(label.method, "Method");
}

TEST(MethodLabelsTest, TheSamePathKeepsItsId) {
  MethodLabels labels(10);
  EXPECT_EQ(labels.Intern("/s/A"), labels.Intern("/s/A"));
  EXPECT_NE(labels.Intern("/s/A"), labels.Intern("/s/B"));
}

TEST(MethodLabelsTest, PathsBeyondTheLimitAreOtherAndEarlierOnesStay) {
  MethodLabels labels(2);
  const MethodLabels::Id first = labels.Intern("/s/A");
  labels.Intern("/s/B");
  EXPECT_EQ(labels.Intern("/s/C"), MethodLabels::kOther);
  EXPECT_EQ(labels.Intern("/s/A"), first);
  EXPECT_EQ(labels.Label(MethodLabels::kOther).method, "other");
}

TEST(MethodLabelsTest, AnotherLimitIsForMethodsThatAreStillToCome) {
  MethodLabels labels(2);
  const MethodLabels::Id first = labels.Intern("/s/A");
  labels.SetMax(1);
  EXPECT_EQ(labels.Intern("/s/B"), MethodLabels::kOther);
  EXPECT_EQ(labels.Intern("/s/A"), first);
  labels.SetMax(2);
  EXPECT_NE(labels.Intern("/s/B"), MethodLabels::kOther);
}

TEST(MethodLabelsTest, WhatIsNoMethodIsOtherAndTakesNoPlace) {
  MethodLabels labels(1);
  for (const std::string& path :
       {std::string(), std::string("/"), std::string("//"), std::string("/a"), std::string("a/b"),
        std::string("/a/"), std::string("/a b/c"), std::string("/\xc3\xa9/c"),
        "/s/" + std::string(300, 'x')}) {
    EXPECT_EQ(labels.Intern(path), MethodLabels::kOther) << path;
  }
  EXPECT_NE(labels.Intern("/s/Real"), MethodLabels::kOther);
}

}  // namespace
}  // namespace lanekeeper
