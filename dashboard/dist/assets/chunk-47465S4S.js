import{Fa as o,q as t}from"./chunk-S7V4RGXE.js";var m=(a,n)=>{let{project:e,range:r}=t();return o(JSON.stringify([a,e,r]),p=>n({project:e,signal:p},r))};export{m as a};
