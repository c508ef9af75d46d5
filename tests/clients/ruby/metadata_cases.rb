# frozen_string_literal: true

# Metadata.

require_relative 'support'

module MetadataCases
  include GRPC::Core::CallOps

  VALUES = {
    'one' => ['a value with spaces, a comma and ~!@#$%^&*()'],
    'repeated' => %w[first second third],
    'one-bin' => [(0..255).to_a.pack('C*')],
    'repeated-bin' => ["\x00", "\xff\xfe", 'three'],
  }.freeze

  module_function

  # The server's initial metadata must come while no message follows it.
  #
  # ActiveCall, on which all stubs are built, asks for headers and the first message in one go and so
  # cannot see the one before the other; the calls below it can.
  def headers_before_message(client)
    script = Echo::Script.new(headers_at_once: true, block_until_cancelled: true,
                              initial_metadata: [entry('early', 'yes')])
    request = Echo::Request.encode(Echo::Request.new(script: script))
    await_headers(client, 'ServerStream', {}, SEND_MESSAGE => request, SEND_CLOSE_FROM_CLIENT => nil)
    # The server speaks first: the client has sent headers only.
    await_headers(client, 'Bidi', { 'script-bin' => Echo::Script.encode(script) }, {})
  end

  def await_headers(client, method, metadata, messages)
    id = client.call_id
    call = client.channel.create_call(nil, nil, "/lanekeeper.tests.Echo/#{method}", nil,
                                      Time.now + RPC_TIMEOUT)
    call.run_batch({ SEND_INITIAL_METADATA => { **metadata, 'call-id' => id }, **messages })
    # Waits for the headers, or the end of the call, which the deadline bounds.
    headers = call.run_batch(RECV_INITIAL_METADATA => nil).metadata
    check_values(method, headers['early'], 'early', ['yes'])
    check(!client.journal(id).ended, "#{method}: the headers came only with the end")
    call.cancel
    client.await_cancelled(id)
  ensure
    call&.close
  end

  def metadata_roundtrip(client)
    script = Echo::Script.new
    id = client.call_id
    sent = { 'call-id' => id }
    VALUES.each do |key, values|
      sent["up-#{key}"] = values
      values.each do |value|
        script.initial_metadata << entry("down-#{key}", value)
        script.trailing_metadata << entry("end-#{key}", value)
      end
    end
    request = Echo::Request.new(script: script, payload: pattern(10))
    got = finish(client.echo.unary(request, metadata: sent, return_op: true))
    check_status(got, 0)
    seen = client.journal(id)
    VALUES.each do |key, want|
      at_server = seen.metadata.select { |e| e.key == "up-#{key}" }.map(&:value)
      check_values('at the server', at_server, key, want, joined: seen.server == 'node')
      check_values('initial metadata', got.headers["down-#{key}"], key, want)
      check_values('trailers', got.trailers["end-#{key}"], key, want)
    end
  end

  def authority_seen_by_server(client)
    id = client.call_id
    client.echo.unary(Echo::Request.new, metadata: { 'call-id' => id })
    seen = client.journal(id)
    want = client.target.start_with?('unix:') ? 'localhost' : client.target
    # grpcio's server does not tell its handlers the authority.
    check(seen.server == 'python' || seen.authority == want,
          "got #{seen.authority.inspect}, want #{want.inspect}")
  end
end
