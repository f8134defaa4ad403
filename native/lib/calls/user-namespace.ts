/** `count` ids from `inside` of the namespace are those from `outside`. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** User namespaces that exist only for their maps (user_namespaces(7)). */
export interface UserNamespaceCalls {
  /**
   * A descriptor of a new user namespace with these maps, for `mountSetattr({ usernsFd })`. The namespace lives as long as the descriptor
   * or a mount that uses it; no process is left behind. EPERM: not allowed to map these ids (or user namespaces are
   * disabled), EINVAL: ranges overlap or a map is empty, ENOSPC: too many namespaces.
   */
  createUserNamespaceSync(uidMap: readonly IdRange[], gidMap: readonly IdRange[]): number;
}
