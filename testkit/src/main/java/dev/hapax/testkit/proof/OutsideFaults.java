package dev.hapax.testkit.proof;

import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;

/** Which exception a call of another system ends with when something goes wrong on purpose; yours, if your code tells them apart. Called by the thread that makes the call. */
@FunctionalInterface
public interface OutsideFaults {

    /** What the JDK's own clients throw: no connection, no answer, refused. */
    OutsideFaults PLAIN = (mode, call) -> switch (mode) {
        case LOST_NOT_COMMITTED -> new ConnectException("no connection for " + call);
        case LOST_COMMITTED -> new SocketTimeoutException("no answer from " + call + ", which was done");
        default -> new IOException(call + " was refused on purpose");
    };

    /**
     * Makes the exception.
     *
     * @param mode {@link Mode#FAILS_ONCE} or {@link Mode#FAILS_FOR_GOOD} if the call is refused, {@link Mode#LOST_NOT_COMMITTED} if it did not arrive, {@link Mode#LOST_COMMITTED} if it was
     *     done and its answer is lost
     * @param call the name of the call
     * @return the exception; one that a method does not declare comes out of {@link Node#around} inside an unchecked one
     */
    Exception exception(Mode mode, String call);
}
