/**
 * The members that make a JWK private or symmetric. In a key that is shown to others each of them, whatever its value,
 * means that a secret has got out or that a key of another kind is being passed off.
 * @see RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 8037 §2
 */
export const secretMembers: readonly string[] = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
