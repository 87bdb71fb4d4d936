package dev.hapax.twophase;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;

/** Wrong on purpose: it commits what it is told to prepare. */
record EagerParticipant(Participant real) implements Participant {

    @Override
    public Session open() throws Exception {
        Session session = real.open();
        XAResource resource = (XAResource) Proxy.newProxyInstance(
                XAResource.class.getClassLoader(), new Class<?>[] {XAResource.class}, (proxy, method, args) -> {
                    try {
                        return switch (method.getName()) {
                            case "prepare" -> {
                                int prepared = session.resource().prepare((Xid) args[0]);
                                session.resource().commit((Xid) args[0], false);
                                yield prepared;
                            }
                            case "commit" -> null;
                            default -> method.invoke(session.resource(), args);
                        };
                    } catch (InvocationTargetException e) {
                        if (e.getCause() instanceof XAException xa && xa.errorCode == XAException.XAER_NOTA) {
                            return null;
                        }
                        throw e.getCause();
                    }
                });
        return new Session() {
            @Override
            public XAResource resource() {
                return resource;
            }

            @Override
            public Object handle() {
                return session.handle();
            }

            @Override
            public void close() throws Exception {
                session.close();
            }
        };
    }
}
