# frozen_string_literal: true

# Messages of all sizes and orders.

require_relative 'support'

module MessageCases
  module_function

  def empty_unary(client)
    size = Echo::Response.encode(client.echo.unary(Echo::Request.new)).size
    check(size.zero?, "the response has #{size} bytes")
  end

  def large_unary(client)
    request = Echo::Request.new(payload: pattern(271_828), response_bytes: 314_159)
    check_payload(client.echo.unary(request), 314_159)
  end

  def message_5mib(client)
    size = 5 << 20
    # No response_bytes: the request's own bytes come back.
    check_payload(client.echo.unary(Echo::Request.new(payload: pattern(size))), size)
  end

  # Half-closes without a message.
  def empty_stream(client)
    total = client.echo.client_stream([])
    check(total.messages.zero? && total.bytes.zero?, "ClientStream: got #{total}")

    id = client.call_id
    Stream.open(client.echo, :bidi, metadata: { 'call-id' => id }) do |stream|
      stream.half_close
      stream.expect_end
    end
    entry = client.journal(id)
    check(entry.half_closed && entry.messages.zero?,
          "Bidi: the server saw half-close #{entry.half_closed}, #{entry.messages} messages")
  end

  # Never more than one message under way.
  def ping_pong(client)
    alternate(client, 40)
  end

  def alternate(client, rounds)
    ups = [27_182, 8, 1828, 45_904]
    downs = [31_415, 9, 2653, 58_979]
    Stream.open(client.echo, :bidi) do |stream|
      rounds.times do |i|
        stream.write(Echo::Request.new(payload: pattern(ups[i % 4]), response_bytes: downs[i % 4]))
        got = stream.read
        check(got.index == i, "round #{i}: got response #{got.index}")
        check_payload(got, downs[i % 4])
      end
      stream.half_close
      stream.expect_end
    end
  end

  def half_close_then_long_stream(client)
    request = Echo::Request.new(script: Echo::Script.new(response_count: 200), response_bytes: 1000)
    # One answer to the message, then those that come after the half-close.
    check_responses(client.echo.bidi([request]), 201, 1000)
  end

  # 100 RPCs of all kinds open at once; their delays make them end out of order.
  def many_parallel(client)
    threads = Array.new(100) { |i| Thread.new { one_of_many(client, i) } }
    threads.each(&:join)
  end

  def one_of_many(client, number)
    script = Echo::Script.new(delay_ms: number % 7 * 10, response_count: 10)
    size = 100 + number
    request = Echo::Request.new(script: script, response_bytes: size)
    case number % 4
    when 0 then check_payload(client.echo.unary(request), size)
    when 1 then check_responses(client.echo.server_stream(request), 10, size)
    when 2
      requests = [Echo::Request.new(script: script, payload: pattern(size))] * 10
      got = client.echo.client_stream(requests)
      check(got.messages == 10 && got.bytes == 10 * size, "got #{got}")
    else alternate(client, 10)
    end
  end
end
