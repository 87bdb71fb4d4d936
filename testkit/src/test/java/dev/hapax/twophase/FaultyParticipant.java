package dev.hapax.twophase;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;

/** A real participant whose commits can be made to fail. */
record FaultyParticipant(Participant real, Fault onCommit) implements Participant {

    @FunctionalInterface
    interface Fault {
        void strike() throws XAException;
    }

    @Override
    public Session open() throws Exception {
        Session session = real.open();
        XAResource resource = (XAResource) Proxy.newProxyInstance(
                XAResource.class.getClassLoader(), new Class<?>[] {XAResource.class}, (proxy, method, args) -> {
                    if (method.getName().equals("commit")) {
                        onCommit.strike();
                    }
                    try {
                        return method.invoke(session.resource(), args);
                    } catch (InvocationTargetException e) {
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
