export function testdataPath(name: string): string;
export function testdata(name: string): Uint8Array;
export function testdataBinaries(): string[];
