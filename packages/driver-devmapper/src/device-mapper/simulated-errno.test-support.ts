/** What the simulated kernel refuses with; the simulated device mapper makes the coded error of it. */
export class Errno extends Error {
  readonly errno: string;
  constructor(errno: string) {
    super(errno);
    this.errno = errno;
  }
}
