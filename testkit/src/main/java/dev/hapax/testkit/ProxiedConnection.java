package dev.hapax.testkit;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One client's connection through a {@link TcpProxy}: two pumps that read PostgreSQL's messages whole, or, for another server, pass on what comes.
 *
 * <p>Only the pump from client to server knows statements and decides on a cut. To cut after a statement was sent, it mutes the pump from server to
 * client <em>before</em> the statement leaves, so that no byte of the answer can slip through. The server's side then stays open until the server has
 * answered: closing it early could lose what the server has not read yet.
 */
final class ProxiedConnection {
    private static final int SSL_REQUEST = 80_877_103;
    private static final int GSS_REQUEST = 80_877_104;
    private static final int MAX_MESSAGE_BYTES = 256 * 1024 * 1024;

    private final TcpProxy proxy;
    private final Socket client;
    private final Socket server;
    private final boolean readsStatements;
    private final Map<String, String> statements = new HashMap<>();
    private final Map<String, String> portals = new HashMap<>();

    /** Set once, by the pump to the server, before the statement leaves; from then on the client gets nothing. */
    private volatile boolean muted;

    private volatile boolean cutWhenAnswered;
    private volatile boolean lostBytes;
    private volatile boolean closed;

    ProxiedConnection(TcpProxy proxy, Socket client, Socket server, boolean readsStatements) {
        this.proxy = proxy;
        this.client = client;
        this.server = server;
        this.readsStatements = readsStatements;
    }

    void start() throws IOException {
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
        Thread.ofVirtual().name("hapax-testkit-proxy-up").start(() -> {
            pump(
                    readsStatements
                            ? this::clientToServer
                            : () -> bytes(
                                    TcpProxy.Direction.TO_SERVER, client.getInputStream(), server.getOutputStream()));
            if (!muted) {
                end(TcpProxy.Direction.TO_SERVER);
            }
        });
        Thread.ofVirtual().name("hapax-testkit-proxy-down").start(() -> {
            pump(
                    readsStatements
                            ? this::serverToClient
                            : () -> bytes(
                                    TcpProxy.Direction.TO_CLIENT, server.getInputStream(), client.getOutputStream()));
            end(TcpProxy.Direction.TO_CLIENT);
        });
    }

    private interface Pump {
        void run() throws IOException;
    }

    private static void pump(Pump pump) {
        try {
            pump.run();
        } catch (IOException lost) {
            TcpProxy.LOG.debug("a proxied connection ended", lost);
        }
    }

    /** One side has ended; the other hears of it when the network says so. */
    private void end(TcpProxy.Direction direction) {
        pump(() -> proxy.awaitEnd(direction, this));
        close();
    }

    boolean isClosed() {
        return closed;
    }

    /** Whether something that was sent has not arrived and never will: what comes after it would make no sense. */
    boolean hasLostBytes() {
        return lostBytes;
    }

    /** The client is gone; the pump to the server finds out, and tells the server in its time. */
    void abandon() {
        close(client);
    }

    void close() {
        closed = true;
        close(client);
        close(server);
        proxy.ended(this);
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException failure) {
            throw new UncheckedIOException("could not close a proxied connection", failure);
        }
    }

    /** Whatever it is that is said. */
    private void bytes(TcpProxy.Direction direction, InputStream from, OutputStream to) throws IOException {
        byte[] buffer = new byte[Burst.BYTES_MAX];
        for (int read = from.read(buffer); read >= 0; read = from.read(buffer)) {
            if (proxy.passes(direction, this)) {
                to.write(buffer, 0, read);
                to.flush();
            } else {
                lostBytes = true;
            }
        }
    }

    // ---- from client to server

    private void clientToServer() throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(client.getInputStream()));
        Burst out = new Burst(TcpProxy.Direction.TO_SERVER, server.getOutputStream());
        passStartup(in, out);
        while (true) {
            Message message = Message.read(in);
            Optional<TcpProxy.Cut> cut = executed(message).flatMap(proxy::take);
            if (cut.isPresent()) {
                cut(cut.get().moment(), message, in, out);
                return;
            }
            out.add(message, in.available() == 0);
        }
    }

    /** Messages that came together and go on together, if the network lets them. */
    private final class Burst {
        private static final int BYTES_MAX = 64 * 1024;

        private final TcpProxy.Direction direction;
        private final OutputStream to;
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final DataOutputStream out = new DataOutputStream(bytes);

        Burst(TcpProxy.Direction direction, OutputStream to) {
            this.direction = direction;
            this.to = to;
        }

        void add(Message message, boolean last) throws IOException {
            message.write(out);
            if (last || bytes.size() >= BYTES_MAX) {
                passOn();
            }
        }

        void passOn() throws IOException {
            if (bytes.size() > 0) {
                if (proxy.passes(direction, ProxiedConnection.this)) {
                    bytes.writeTo(to);
                    to.flush();
                } else {
                    lostBytes = true;
                }
                bytes.reset();
            }
        }
    }

    /** The first messages have no type. Encryption is asked for before anything else, and declined. */
    private void passStartup(DataInputStream in, Burst burst) throws IOException {
        while (true) {
            byte[] body = Message.readBody(in);
            int code = body.length < 4
                    ? 0
                    : (body[0] & 0xff) << 24 | (body[1] & 0xff) << 16 | (body[2] & 0xff) << 8 | (body[3] & 0xff);
            if (code != SSL_REQUEST && code != GSS_REQUEST) {
                burst.out.writeInt(body.length + 4);
                burst.out.write(body);
                burst.passOn();
                return;
            }
            declineEncryption();
        }
    }

    private void declineEncryption() throws IOException {
        if (proxy.passes(TcpProxy.Direction.TO_SERVER, this) && proxy.passes(TcpProxy.Direction.TO_CLIENT, this)) {
            client.getOutputStream().write('N');
            client.getOutputStream().flush();
        } else {
            lostBytes = true;
        }
    }

    private void cut(TcpProxy.Moment moment, Message message, DataInputStream in, Burst out) throws IOException {
        if (moment == TcpProxy.Moment.BEFORE_SENT) {
            proxy.happened();
            close();
            return;
        }
        cutWhenAnswered = moment == TcpProxy.Moment.AFTER_ANSWERED;
        muted = true;
        out.add(message, false);
        // A prepared statement is answered when the client's Sync has followed it.
        for (Message next = message; next.type() != 'Q' && next.type() != 'S'; ) {
            next = Message.read(in);
            out.add(next, false);
        }
        out.passOn();
        if (moment == TcpProxy.Moment.AFTER_SENT) {
            proxy.happened();
            close(client);
        }
    }

    /** The SQL that the message makes the server run, if it does; remembers what later messages refer to. */
    private Optional<String> executed(Message message) {
        switch (message.type()) {
            case 'Q' -> {
                return Optional.of(message.text(0));
            }
            case 'P' -> statements.put(message.text(0), message.text(1));
            case 'B' -> portals.put(message.text(0), statements.getOrDefault(message.text(1), ""));
            case 'E' -> {
                return Optional.of(portals.getOrDefault(message.text(0), ""));
            }
            default -> {
                // Nothing that runs a statement.
            }
        }
        return Optional.empty();
    }

    // ---- from server to client

    private void serverToClient() throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(server.getInputStream()));
        Burst out = new Burst(TcpProxy.Direction.TO_CLIENT, client.getOutputStream());
        while (true) {
            Message message = Message.read(in);
            if (!muted) {
                out.add(message, in.available() == 0);
            } else if (message.type() == 'Z') {
                if (cutWhenAnswered) {
                    proxy.happened();
                }
                return;
            }
        }
    }

    /** One message: a type, and a body without its length. */
    private record Message(int type, byte[] body) {
        static Message read(DataInputStream in) throws IOException {
            return new Message(in.readUnsignedByte(), readBody(in));
        }

        static byte[] readBody(DataInputStream in) throws IOException {
            int length = in.readInt() - 4;
            if (length < 0 || length > MAX_MESSAGE_BYTES) {
                throw new IOException("a message of " + length + " bytes is not PostgreSQL's protocol");
            }
            byte[] body = new byte[length];
            in.readFully(body);
            return body;
        }

        void write(DataOutputStream out) throws IOException {
            out.writeByte(type);
            out.writeInt(body.length + 4);
            out.write(body);
        }

        /** The text at an index among the zero-terminated texts at the body's beginning. */
        String text(int index) {
            int from = 0;
            for (int skipped = 0; skipped < index; skipped++) {
                from = end(from) + 1;
            }
            return new String(body, from, end(from) - from, StandardCharsets.UTF_8);
        }

        private int end(int from) {
            int end = from;
            while (end < body.length && body[end] != 0) {
                end++;
            }
            return end;
        }
    }
}
