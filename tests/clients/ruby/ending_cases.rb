# frozen_string_literal: true

# The ways a call can end.

require_relative 'support'

module EndingCases
  include GRPC::Core::StatusCodes

  SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"

  module_function

  def status_code_and_message(client)
    1.upto(16) do |code|
      [SPECIAL_MESSAGE, '50% of /a;b %41'].each do |message|
        script = Echo::Script.new(status_code: code, status_message: message, end_after: 1)
        request = Echo::Request.new(script: script)
        check_status(status_of { client.echo.unary(request) }, code, message)
        # The status comes after a message.
        Stream.open(client.echo, :bidi) do |stream|
          stream.write(request)
          stream.read
          check_status(status_of { stream.expect_end }, code, message)
        end
      end
    end
  end

  def status_details(client)
    detail = Echo::Detail.new(type_url: 'type.example/any', value: pattern(200))
    want = Echo::RichStatus.encode(
      Echo::RichStatus.new(code: RESOURCE_EXHAUSTED, message: 'rich', details: [detail])
    )
    script = Echo::Script.new(status_code: RESOURCE_EXHAUSTED, status_message: 'rich',
                              status_details: want)
    ended = status_of { client.echo.unary(Echo::Request.new(script: script)) }
    check_status(ended, RESOURCE_EXHAUSTED, 'rich')
    key = 'grpc-status-details-bin'
    check_values('trailers', ended.trailers[key], key, [want])
  end

  def trailers_only_error(client)
    script = Echo::Script.new(status_code: NOT_FOUND, status_message: 'nothing here',
                              trailing_metadata: [entry('why', 'because')])
    ended = finish(client.echo.unary(Echo::Request.new(script: script), return_op: true))
    check_status(ended, NOT_FOUND, 'nothing here')
    check(ended.headers.empty?, "initial metadata #{ended.headers}, though an error came at once")
    check_values('trailers', ended.trailers['why'], 'why', ['because'])
  end

  def unimplemented_method(client)
    ['/lanekeeper.tests.Echo/NoSuchMethod', '/no.such.Service/Method'].each do |method|
      ended = status_of do
        client.echo.request_response(method, Echo::Request.new, Echo::Request.method(:encode),
                                     Echo::Response.method(:decode))
      end
      check_status(ended, UNIMPLEMENTED)
    end
  end

  def deadline_seen_by_server(client)
    left = deadline_at_server(client, Time.now + 10)
    # Upwards only the rounding of grpc-timeout; downwards a machine under load.
    check(left.between?(5000, 10_200), "the server had #{left} ms left of 10 s")
    left = deadline_at_server(client, GRPC::Core::TimeConsts::INFINITE_FUTURE)
    check(left == -1, "the server saw a deadline of #{left} ms where there was none")
  end

  def deadline_at_server(client, deadline)
    id = client.call_id
    client.echo.unary(Echo::Request.new, metadata: { 'call-id' => id }, deadline: deadline)
    client.journal(id).deadline_ms
  end

  def deadline_exceeded(client)
    blocked = Echo::Request.new(script: Echo::Script.new(block_until_cancelled: true))
    id = client.call_id
    metadata = { 'call-id' => id }
    ended = status_of { client.echo.unary(blocked, metadata: metadata, deadline: Time.now + 0.3) }
    check_status(ended, DEADLINE_EXCEEDED)
    client.await_cancelled(id)

    id = client.call_id
    metadata = { 'call-id' => id }
    Stream.open(client.echo, :bidi, metadata: metadata, deadline: Time.now + 0.3) do |stream|
      stream.write(blocked)
      check_status(status_of { stream.expect_end }, DEADLINE_EXCEEDED)
    end
    client.await_cancelled(id)
  end

  def cancel_mid_stream(client)
    # The server is waiting for the next message. It has work left for after a half-close: grpcio's
    # server can take a cancellation for one, and would end the call with OK.
    script = Echo::Script.new(response_count: 1_000_000)
    request = Echo::Request.new(script: script, response_bytes: 100)
    id = client.call_id
    Stream.open(client.echo, :bidi, metadata: { 'call-id' => id }) do |stream|
      3.times do
        stream.write(request)
        stream.read
      end
      stream.cancel
      check_status(status_of { stream.expect_end }, CANCELLED)
    end
    client.await_cancelled(id)

    # The server is sending.
    id = client.call_id
    sending = client.echo.server_stream(request, metadata: { 'call-id' => id }, return_op: true)
    responses = sending.execute
    3.times { responses.next }
    sending.cancel
    # Messages that are here already may come first.
    check_status(status_of { loop { responses.next } }, CANCELLED)
    client.await_cancelled(id)
  end

  # The server ends the call while the client is still writing.
  def early_finish(client)
    script = Echo::Script.new(end_after: 3, status_code: FAILED_PRECONDITION,
                              status_message: 'enough')
    request = Echo::Request.new(script: script, payload: pattern(64 << 10), response_bytes: 1)
    over = false
    requests = Enumerator.new { |sink| sink << request until over }
    responses = client.echo.bidi(requests)
    3.times { responses.next }
    check_status(status_of { responses.next }, FAILED_PRECONDITION, 'enough')
  ensure
    over = true
  end
end
