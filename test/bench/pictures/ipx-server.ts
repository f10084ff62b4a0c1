// As low as that of the service's renderer: what else the machine does then takes as much from each.
import '../../../src/imaging/low-priority.ts';
import { createIPX, createIPXNodeServer, ipxFSStorage } from 'ipx';
import { serveToParent } from '../serve-to-parent.ts';

// As its documentation has it, but with the service's version of sharp, and without what would only make it slower:
// progressive JPEGs, which the others do not make.
const [dir = ''] = process.argv.slice(2);
const ipx = createIPX({ storage: ipxFSStorage({ dir }), sharpOptions: { jpegProgressive: false } });
serveToParent(createIPXNodeServer(ipx));
