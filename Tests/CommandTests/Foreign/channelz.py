"""Reads what a server tells by channelz, with the client of grpcio-channelz.

channelz.py ADDRESS COUNT MOST  COUNT times; never are more than MOST calls open, or fewer than none. Prints the calls that
                                were started, that have succeeded and have failed, and the same of all connections' streams,
                                with the messages received, as they were the last time.
"""
import sys

import grpc
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc

address, count, most = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
stub = channelz_pb2_grpc.ChannelzStub(grpc.insecure_channel(address))


def expect(code, call, request):
    try:
        call(request, timeout=60)
    except grpc.RpcError as error:
        assert error.code() == code, error
    else:
        raise AssertionError(f"{request} has an answer")


def counts(data, prefix):
    return [getattr(data, f"{prefix}_{kind}") for kind in ("started", "succeeded", "failed")]


def sockets(server_id):
    """All connections, in pages of two."""
    start, last = 0, 0
    while True:
        page = stub.GetServerSockets(
            channelz_pb2.GetServerSocketsRequest(server_id=server_id, start_socket_id=start, max_results=2), timeout=60
        )
        for ref in page.socket_ref:
            assert ref.socket_id > last, "ids do not rise"
            last = ref.socket_id
            try:
                yield stub.GetSocket(channelz_pb2.GetSocketRequest(socket_id=ref.socket_id), timeout=60).socket
            except grpc.RpcError as error:
                # It was closed meanwhile.
                assert error.code() == grpc.StatusCode.NOT_FOUND, error
        if page.end:
            return
        start = last + 1


def read(server_id):
    server = stub.GetServer(channelz_pb2.GetServerRequest(server_id=server_id), timeout=60).server
    calls = counts(server.data, "calls")
    assert 0 <= calls[0] - calls[1] - calls[2] <= most, calls
    streams, messages = [0, 0, 0], 0
    for socket in sockets(server_id):
        one = counts(socket.data, "streams")
        assert 0 <= one[0] - one[1] - one[2] <= most, one
        streams = [sum(pair) for pair in zip(streams, one)]
        messages += socket.data.messages_received
        assert socket.remote.tcpip_address.ip_address == b"\x7f\0\0\1", socket
        assert socket.remote.tcpip_address.port > 0, socket
        assert one[0] == 0 or socket.data.last_remote_stream_created_timestamp.seconds > 0, socket
    return calls, streams, messages


page = stub.GetServers(channelz_pb2.GetServersRequest(), timeout=60)
assert page.end and len(page.server) == 1, page
server = page.server[0]
assert server.ref.name == "sum-server", server
for ref in server.listen_socket:
    listener = stub.GetSocket(channelz_pb2.GetSocketRequest(socket_id=ref.socket_id), timeout=60).socket
    assert listener.local.tcpip_address.port == int(ref.name.split(":")[-1]), listener
assert len(server.listen_socket) == 1
server_id = server.ref.server_id
assert not stub.GetServers(channelz_pb2.GetServersRequest(start_server_id=server_id + 1), timeout=60).server
assert stub.GetTopChannels(channelz_pb2.GetTopChannelsRequest(), timeout=60).end
not_found, invalid = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT
expect(not_found, stub.GetServer, channelz_pb2.GetServerRequest(server_id=1 << 40))
expect(not_found, stub.GetSocket, channelz_pb2.GetSocketRequest(socket_id=server_id))
expect(not_found, stub.GetChannel, channelz_pb2.GetChannelRequest(channel_id=1))
expect(not_found, stub.GetSubchannel, channelz_pb2.GetSubchannelRequest(subchannel_id=1))
expect(invalid, stub.GetServers, channelz_pb2.GetServersRequest(max_results=-1))
started = 0
for _ in range(count):
    calls, streams, messages = read(server_id)
    assert calls[0] >= started, "the count of calls fell"
    started = calls[0]
print(*calls, *streams, messages)
