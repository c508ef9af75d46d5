#!/usr/bin/python3
"""Several JVMs with several channels each: deploy/recipes/java.md."""

from clients.runner.building import CLASSPATH
from recipe import RecipeTest, await_answers, build, main

# The options make a short run short; the properties are what a JVM has for $http_proxy.
OPTIONS = ("-XX:TieredStopAtLevel=1 -XX:+UseSerialGC "
           "-Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=1 "
           "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=1")


class Java(RecipeTest):
    page = "java"

    @classmethod
    def setUpClass(cls):
        cls.classes = build(cls.page, "classes", ["javac", "-encoding", "UTF-8", "-cp", CLASSPATH,
                                                  "Workers.java",
                                                  "UnixSocketChannel.java", "-d"])

    def test_jvms_have_the_connections_that_the_page_tells(self):
        self.check_figures("JVMs of 2 channels each", self.start_jvms, await_answers)

    def start_jvms(self, workers, *environment):
        return self.run_example(["java", "-cp", f"{self.classes}:{CLASSPATH}", "Workers", workers],
                                [f"JAVA_TOOL_OPTIONS={OPTIONS}", *environment])


if __name__ == "__main__":
    main()
