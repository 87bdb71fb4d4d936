package dev.hapax;

import org.jspecify.annotations.Nullable;

/**
 * The database does not have the schema that this version needs, or the service's role may not use it. The message names what is missing and the
 * command that mends it. Nothing was changed.
 */
public final class SchemaException extends HapaxException {

    private static final long serialVersionUID = 1L;

    public SchemaException(String message, @Nullable Throwable cause) {
        super("schema", message, cause);
    }
}
