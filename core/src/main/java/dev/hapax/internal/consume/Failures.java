package dev.hapax.internal.consume;

/** How the transaction of a batch ends that is rolled back. */
final class Failures {

    private Failures() {}

    /** Another process owns a share of this transaction. */
    static final class Fenced extends Exception {

        private static final long serialVersionUID = 1L;

        Fenced() {
            super(null, null, false, false);
        }
    }

    /** One message failed, and it is known which. */
    static final class MessageFailure extends Exception {

        private static final long serialVersionUID = 1L;

        final int index;

        MessageFailure(int index, Throwable cause) {
            super(null, cause, false, false);
            this.index = index;
        }

        Throwable reason() {
            Throwable cause = getCause();
            return cause == null ? this : cause;
        }
    }

    /** One of many messages failed; which one is not known. */
    static final class BatchFailure extends Exception {

        private static final long serialVersionUID = 1L;

        BatchFailure(Throwable cause) {
            super(null, cause, false, false);
        }
    }
}
