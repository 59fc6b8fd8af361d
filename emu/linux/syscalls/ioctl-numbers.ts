/** Request numbers of ioctl(2) (arch/powerpc/include/uapi/asm/ioctl.h): direction in the top three bits, 13 bits of size. */

const request = (direction: number, type: string, number: number, size: number): number =>
  ((direction << 29) | (size << 16) | (type.charCodeAt(0) << 8) | number) >>> 0;
export const io = (type: string, number: number): number => request(1, type, number, 0);
export const ior = (type: string, number: number, size: number): number => request(2, type, number, size);
export const iow = (type: string, number: number, size: number): number => request(4, type, number, size);
export const iowr = (type: string, number: number, size: number): number => request(6, type, number, size);
