# frozen_string_literal: true

# The tutorials' programs.

require_relative 'support'

module TutorialCases
  module_function

  def hello_world(client)
    hello(client, 'world')
  end

  def hello(client, name)
    reply = client.greeter.say_hello(Helloworld::HelloRequest.new(name: name))
    check(reply.message == "Hello #{name}", "got #{reply.message.inspect}")
  end

  def route_guide(client)
    get_feature(client)
    list_features(client)
    record_route(client)
    route_chat(client, 10)
  end

  def get_feature(client)
    there = client.guide.get_feature(FEATURES[7].location)
    check(there.name == 'Feature 7', "GetFeature: got #{there.name.inspect}")
    place = Routeguide::Point.new(latitude: 1, longitude: 2)
    nowhere = client.guide.get_feature(place)
    check(nowhere.name == '' && nowhere.location == place, "GetFeature nowhere: got #{nowhere}")
  end

  def list_features(client)
    rectangle = Routeguide::Rectangle.new(lo: FEATURES[3].location, hi: FEATURES[17].location)
    got = client.guide.list_features(rectangle).map(&:name)
    check(got == (3..17).map { |i| "Feature #{i}" }, "ListFeatures: got #{got}")
  end

  def record_route(client)
    route = [FEATURES[0].location, Routeguide::Point.new(latitude: 5, longitude: -5),
             FEATURES[24].location, FEATURES[12].location]
    length = route.each_cons(2).sum { |from, to| distance(from, to) }
    got = client.guide.record_route(route)
    check([got.point_count, got.feature_count, got.distance] == [4, 3, length],
          "RecordRoute: got #{got}, want 4 points, 3 features, distance #{length}")
  end

  # Writes notes at two places in turn and reads after each write what must come back.
  def route_chat(client, notes)
    Stream.open(client.guide, :route_chat) do |stream|
      notes.times do |i|
        stream.write(Routeguide::RouteNote.new(location: FEATURES[i % 2].location,
                                               message: "note #{i}"))
        (i % 2).step(i, 2) do |earlier|
          got = stream.read.message
          check(got == "note #{earlier}", "RouteChat, after note #{i}: got #{got.inspect}")
        end
      end
      stream.half_close
      stream.expect_end
    end
  end

  # Two services at the same time over the one channel.
  def multiplex(client)
    greeting = Thread.new { 40.times { |i| hello(client, "number #{i}") } }
    chatting = Thread.new { route_chat(client, 20) }
    [greeting, chatting].each(&:join)
  end
end
